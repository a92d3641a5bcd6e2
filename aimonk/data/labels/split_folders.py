"""Folders train, valid and test, each with its own labels file: Roboflow's layout, and Hugging Face's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ...errors import LabelsError
from .image_names import rank
from .raw_table import Column, RawTable
from .sets import set_named


def find_split_folders(folder: Path, names: tuple[str, ...]) -> dict[str, Path]:
    """Return the labels file in each folder of a set, if all have one of the same name.

    `names` are the files looked for, the most certain first.
    """
    folders = [child for child in sorted(folder.iterdir()) if child.is_dir() and _is_set(child.name)]
    for name in names:
        if folders and all((child / name).is_file() for child in folders):
            return {child.name: child / name for child in folders}
    return {}


def read_split_folders(folder: Path, files: dict[str, Path], read: Callable[[Path], RawTable]) -> RawTable:
    """Return the tables of all sets as one, with the folder before each image's name and a column of sets.

    Raises:
        LabelsError: The files do not have the same columns.
    """
    tables = {name: read(file) for name, file in files.items()}
    first = next(iter(tables.values()))
    names = [column.name for column in first.columns]
    for table in tables.values():
        if sorted(column.name for column in table.columns) != sorted(names):
            raise LabelsError(
                f"{table.source} has other columns than {first.source}: give the files of all sets the "
                "same columns."
            )
    image = str(first.preset.get("image", "")) or _image_column(names)
    columns = []
    for at, name in enumerate(names):
        cells = [
            f"{part}/{cell}" if name == image else cell
            for part, table in tables.items()
            for cell in next(c for c in table.columns if c.name == name).cells()
        ]
        columns.append(Column.of(name, cells, first.columns[at].listed))
    columns.append(Column.of("set of the folder", (p for p, t in tables.items() for _ in range(len(t)))))
    preset = {**first.preset, "image": image, "split": "set of the folder"}
    return replace(
        first,
        source=folder,
        format=f"folders of sets with {next(iter(files.values())).name}",
        columns=tuple(columns),
        preset=preset,
        place=_places(tables),
    )


def _is_set(name: str) -> bool:
    return not name.isdigit() and set_named(name) is not None


def _image_column(names: list[str]) -> str:
    known = [name for name in names if rank(name) is not None]
    return min(known, key=lambda name: rank(name) or 0) if known else names[0]


def _places(tables: dict[str, RawTable]) -> Callable[[int], str]:
    def place(row: int) -> str:
        for name, table in tables.items():
            if row < len(table):
                return f"{name}, {table.place(row)}"
            row -= len(table)
        return f"row {row}"

    return place
