"""Where the labels of a folder of images are, if nobody says."""

from __future__ import annotations

from pathlib import Path

from ...errors import ImagesError, LabelsError
from .recognize import IN_FOLDER, is_labels_folder

LABEL_FILES = (
    "labels.txt", "labels.csv", "labels.tsv", "labels.xlsx", "labels.parquet", "labels.jsonl", "labels.json",
    "metadata.csv", "metadata.jsonl", "metadata.parquet", "_classes.csv", "_annotations.coco.json",
    "list_attr_celeba.txt", "list_attr_celeba.csv", "list_attr_img.txt", "Data_Entry_2017.csv",
)  # fmt: skip
"""Labels files by the names they usually have, the first one first."""


def check_folder(data: Path) -> None:
    """Raise ImagesError unless `data` is a folder that can be read and holds something."""
    try:
        if not data.exists():
            raise ImagesError(f"There is no folder {data}: name the folder that holds the images.")
        if not data.is_dir():
            raise ImagesError(f"{data} is not a folder: name the folder that holds the images.")
        if next(data.iterdir(), None) is None:
            raise ImagesError(f"The folder {data} is empty: put the images in it, or name another folder.")
    except PermissionError:
        raise ImagesError(
            f"The folder {data} cannot be read (no permission): allow reading, or name another folder."
        ) from None


def find_labels(data: Path) -> Path:
    """Return the labels file of a folder of images: in the folder, else beside it, else the folder itself.

    The folder itself holds the labels where its folders are sets with a labels file each, image sets of VOC,
    or classes.

    Raises:
        ImagesError: There is no such folder, or it is empty.
        LabelsError: No labels file is found.
    """
    check_folder(data)
    for folder in (data, data.resolve().parent):
        for name in LABEL_FILES:
            if (folder / name).is_file():
                return folder / name
    if is_labels_folder(data):
        return data
    raise LabelsError(
        f"There is no {LABEL_FILES[0]}, {LABEL_FILES[1]} or {IN_FOLDER[1]} in {data} or beside it: "
        "name the labels file with --labels."
    )
