"""Which file of a folder a name in the labels means, however the name is spelled."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import LabelsError
from .labels.image_names import looks_like_image
from .list_images import list_images

_DRIVE = re.compile(r"[A-Za-z]:/+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_UPLOAD = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of an uploaded file."""


@dataclass(frozen=True)
class MatchedImages:
    """The files that names in the labels mean.

    Attributes:
        files: For each name its file, relative to the folder; the name itself where no file is found.
        problems: Why there is no file, by name.
        spelled: (difference, names, an example, its file) of those that are spelled otherwise.
    """

    files: tuple[str, ...]
    problems: dict[str, str]
    spelled: tuple[tuple[str, int, str, str], ...]


def resolve(data: Path, name: str) -> Path:
    """Return where the image `name` lies in the folder `data`; it need not exist.

    Links inside the folder are followed when the file is opened: whoever made the folder made the links.

    Raises:
        LabelsError: The name leads out of the folder, by `..` or as an absolute path, or is no file name.
    """
    return Path(resolve_in(os.path.realpath(data), name))


def resolve_in(root: str, name: str) -> str:
    """Return the same as `resolve` for a folder whose own links are already followed."""
    if "\0" in name:
        raise LabelsError(f"The image {name!r} in the labels is no file name: correct that row.")
    path = os.path.normpath(os.path.join(root, name))
    if os.path.isabs(name) or not path.startswith(root.rstrip(os.sep) + os.sep):
        raise LabelsError(
            f"The image {name!r} in the labels lies outside the folder {root}: "
            "name images by paths inside that folder."
        )
    return path


def match_images(folder: Path, names: Sequence[str]) -> MatchedImages:
    """Return which file below `folder` each name means.

    A name that is a file's path is that file. Any other one is compared with all files, without regard to
    slashes, case, Unicode form, the image's suffix, the scheme, host and query of a URL, and leading folders
    that only one of the two paths has. Exactly one file that is left is the one meant; the least difference
    counts, so that `a.JPG` means `a.jpg` even if there is an `a.png`.

    Raises:
        LabelsError: A name leads out of the folder by `..`, or is an absolute path that no file fits.
    """
    root = os.path.realpath(folder)
    files, problems = list(names), {}
    examples: dict[str, tuple[int, str, str]] = {}
    index: _Index | None = None
    for at, name in enumerate(names):
        if not os.path.isabs(name) and os.path.lexists(resolve_in(root, _plain(name))):
            files[at] = os.path.normpath(_plain(name))
            if files[at] == name:
                continue
            found: list[str] = [files[at]]
        else:
            index = index or _Index(list_images(folder).names)
            found = index.find(name, root)
        if len(found) == 1:
            files[at] = found[0]
            how = _difference(name, found[0])
            count, example, file = examples.get(how, (0, name, found[0]))
            examples[how] = (count + 1, example, file)
        elif not found and _is_outside(name):
            resolve_in(root, name.replace("\\", "/"))
            resolve_in(root, "/" + name)
        else:
            problems[name] = _problem(name, found, index)
    spelled = tuple((how, count, name, file) for how, (count, name, file) in examples.items())
    return MatchedImages(tuple(files), problems, spelled)


def _plain(name: str) -> str:
    """Return a path with slashes where it is one with back-slashes, as far as this system has no such file."""
    return name.replace("\\", "/") if os.sep == "/" and "\\" in name else name


def _is_outside(name: str) -> bool:
    return ".." in re.split(r"[\\/]", name) or os.path.isabs(name) or bool(_DRIVE.match(_plain(name)))


class _Index:
    """The files of a folder by their last part, in the form in which names are compared."""

    def __init__(self, files: Iterable[str]) -> None:
        self.by_name: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        self.by_stem: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for file in files:
            parts = tuple(_folded(file).split("/"))
            self.by_name[parts[-1]].append((parts, file))
            self.by_stem[_stem(parts[-1])].append((parts, file))

    def find(self, name: str, root: str) -> list[str]:
        """Return the files that a name can mean."""
        for path in _paths(name):
            if path.startswith(root.rstrip("/") + "/"):
                path = path[len(root.rstrip("/")) + 1 :]
            parts = tuple(part for part in _folded(path).split("/") if part not in ("", "."))
            if not parts or ".." in parts:
                continue
            for last, table in _keys(parts[-1], self.by_name, self.by_stem):
                if found := _fitting((*parts[:-1], last), table.get(last, [])):
                    exact = [file for file in found if os.path.basename(file) == os.path.basename(path)]
                    return exact if len(exact) == 1 else found
        return []

    def nearest(self, name: str) -> str:
        """Return the file with the most similar name; empty if none is similar."""
        last = _folded(name.replace("\\", "/")).rpartition("/")[2]
        near = get_close_matches(last, list(self.by_name)[:20_000], 1, 0.6)
        return self.by_name[near[0]][0][1] if near else ""


def _paths(name: str) -> list[str]:
    """Return the paths that a name may stand for: itself, that of its URL, and those in the URL's query."""
    plain = name.replace("\\", "/")
    plain = _DRIVE.sub("/", plain, count=1) if _DRIVE.match(plain) else plain
    found = [plain]
    if _SCHEME.match(plain) or "?" in plain:
        url = urlsplit(plain)
        found += [value for _, value in parse_qsl(url.query) if looks_like_image(value)]
        found.append(url.path)
    decoded = [unquote(path) for path in found if "%" in path]
    return found + decoded


def _keys(last: str, by_name: dict[str, list], by_stem: dict[str, list]) -> list[tuple[str, dict[str, list]]]:  # type: ignore[type-arg]
    """Return what to look a name up by: its last part; that without a suffix; both without an upload's prefix."""
    stem = _stem(last) if looks_like_image(last) else last
    keys = [(last, by_name), (stem, by_stem)]
    if _UPLOAD.match(last):
        keys += [(_UPLOAD.sub("", last, 1), by_name), (_UPLOAD.sub("", stem, 1), by_stem)]
    return keys


def _fitting(parts: tuple[str, ...], files: list[tuple[tuple[str, ...], str]]) -> list[str]:
    """Return the files whose folders continue the name's folders, or the other way around; the longest first.

    The last parts are known to agree. Of several files, those win that share most folders with the name.
    """
    best, found = 0, []
    for other, file in files:
        shared = min(len(parts), len(other))
        if parts[-shared:-1] == other[-shared:-1]:
            # A file with more folders than the name fits it no better than the name is long.
            if shared > best:
                best, found = shared, []
            if shared == best:
                found.append(file)
    # `a.jpg` means the file of just that path before one that lies deeper.
    whole = [file for file in found if file.count("/") + 1 == len(parts)]
    return whole if len(whole) == 1 else found


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace(os.sep, "/")).casefold()


def _stem(last: str) -> str:
    return os.path.splitext(last)[0] if looks_like_image(last) else last


def _difference(name: str, file: str) -> str:
    """Return in what a name differs from its file, in words."""
    found = []
    plain = name.replace("\\", "/")
    if _SCHEME.match(plain) or "?" in plain:
        return "a URL"
    if "\\" in name:
        found.append("slashes")
    if unicodedata.normalize("NFC", plain) != plain or unicodedata.normalize("NFC", file) != file:
        found.append("Unicode form")
    plain, file = (unicodedata.normalize("NFC", text) for text in (os.path.normpath(plain), file))
    one, other = plain.rpartition("/"), file.rpartition("/")
    if _stem(one[2]) == _stem(other[2]) and one[2] != other[2]:
        found.append("suffix")
    elif one[2].casefold() == other[2].casefold() and one[2] != other[2]:
        found.append("case")
    elif one[2] != other[2]:
        found.append("suffix and case" if _stem(one[2].casefold()) == _stem(other[2].casefold()) else "a prefix")
    if one[0].casefold() != other[0].casefold():
        found.append("leading folders")
    elif one[0] != other[0]:
        found.append("case of folders")
    return " and ".join(found) or "a needless ./"


def _problem(name: str, found: list[str], index: _Index | None) -> str:
    if found:
        several = ", ".join(found[:3]) + (" and more" if len(found) > 3 else "")
        return f"fits {len(found)} files: {several}"
    near = index.nearest(name) if index else ""
    return f"not there; the nearest is {near}" if near else "not there"
