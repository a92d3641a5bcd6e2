"""What looks like the name of an image, to a reader who has not seen the folder."""

from __future__ import annotations

import re

_SUFFIXES = (
    "jpe?g|jpe|jfif|png|apng|gif|bmp|dib|tiff?|webp|heic|heif|hif|avif|dcm|dicom|jp2|j2k|jpx|"
    "ppm|pgm|pbm|pnm|tga|ico|psd|exr|hdr|dng|cr2|nef|arw|svg|npy|nii"
)
_NAME = re.compile(rf".*\.(?:{_SUFFIXES})(?:[?#].*)?", re.IGNORECASE | re.DOTALL)
_START = re.compile(rf"(.*\.(?:{_SUFFIXES})[\"']?)[:,;]?(?:\s+(.*))?", re.IGNORECASE | re.DOTALL)

_WORDS = (
    "filename", "file", "image", "images", "imagefile", "imagefilename", "filepath", "imagepath", "imagename",
    "img", "imgname", "imgpath", "imgfile", "fname", "path", "filepaths", "filenames", "imagepaths",
    "imageindex", "imageid", "imgid", "imageids", "photo", "photos", "photoname", "photofile", "photoid",
    "photopath", "picture", "pictures", "pic", "pictureid", "imageurl", "imguri", "imageuri", "imgurl",
    "photourl", "url", "uri", "location", "relativepath", "relpath", "fullpath", "frame", "framename",
    "basename", "asset", "sample", "samplename", "sampleid", "dateiname", "datei", "bild", "bildname", "foto",
    "fichier", "imagen", "archivo", "immagine", "externalid", "key", "name", "id", "uid", "uuid", "item",
)  # fmt: skip
"""Names of image columns without case and punctuation, the surest first."""


def looks_like_image(cell: str) -> bool:
    """Return whether a cell ends like an image file, a query behind it allowed.

    >>> looks_like_image("a b/IMG 1.JPG"), looks_like_image("/files/?d=x/1.png"), looks_like_image("red")
    (True, True, False)
    """
    return _NAME.fullmatch(cell.strip()) is not None


def split_after_image(line: str) -> tuple[str, str] | None:
    """Return an image's name at the start of a line and what follows it; None if there is no such name.

    >>> split_after_image("IMG 1035 (1).jpg 0 1")
    ('IMG 1035 (1).jpg', '0 1')
    """
    found = _START.fullmatch(line.strip())
    return None if found is None else (found[1], found[2] or "")


def rank(column: str) -> int | None:
    """Return how sure a column's name says that it names images, 0 the surest; None if it does not.

    >>> rank("Image Index") is not None, rank("file_name"), rank("colour")
    (True, 0, None)
    """
    word = re.sub(r"[\W_]+", "", column.casefold())
    return _WORDS.index(word) if word in _WORDS else None
