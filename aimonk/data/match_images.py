"""Which file of a folder a name in the labels means, however the name is spelled."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from .folder_boundary import exact_file
from .labels.image_names import looks_like_image
from .list_images import list_images
from .spelling import URL, number_of, spelling_difference, stem_of

_DRIVE = re.compile(r"[A-Za-z]:/+")
_UPLOAD = re.compile(r"[0-9a-f]{8}-(?=.)")
"""What Label Studio puts before the name of an uploaded file."""

_LOOSE = re.compile("suffix|leading zeros")
"""Differences that two files in one folder may have."""

_NEAREST = 5
"""Names without a file for which the nearest file is searched; each takes up to a second."""

_FITS = "fits"
"""How the problem of a name begins that several files fit."""


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


def is_ambiguous(problem: str) -> bool:
    """Return whether a problem of `MatchedImages` is that several files fit a name.

    >>> is_ambiguous("fits 2 files: a/x.jpg, b/x.jpg"), is_ambiguous("not there")
    (True, False)
    """
    return problem.startswith(f"{_FITS} ")


def match_images(folder: Path, names: Sequence[str]) -> MatchedImages:
    """Return which file below `folder` each name means.

    A name that is a file's path is that file. Any other one is compared with all files, without regard to
    slashes, case, Unicode form, the image's suffix, zeros before a number, the scheme, host and query of a
    URL, and leading folders that only one of the two paths has. Exactly one file that is left is the one
    meant; the least difference counts, so that `a.JPG` means `a.jpg` even if there is an `a.png`. A file that
    one name means but for its suffix or its zeros is not also the file of another name.

    Raises:
        LabelsError: A name leads out of the folder by `..`, or is no file name.
    """
    root = os.path.realpath(folder)
    files, problems = list(names), dict[str, str]()
    inexact: list[int] = []
    for at, name in enumerate(names):
        if (file := exact_file(root, name)) is not None:
            files[at] = file
        else:
            inexact.append(at)
    index = _Index(list_images(folder).names if inexact else ())
    for at in inexact:
        found = index.find(names[at], root)
        if len(found) == 1:
            files[at] = found[0]
        else:
            near = index.nearest(names[at]) if len(problems) < _NEAREST else ""
            problems[names[at]] = _problem(names[at], found, near)
    spelled = {
        at: spelling_difference(n, f) for at, (n, f) in enumerate(zip(names, files, strict=True)) if n != f
    }
    certain = {files[at] for at in range(len(names)) if not _LOOSE.search(spelled.get(at, ""))}
    for at in [at for at, how in spelled.items() if _LOOSE.search(how) and files[at] in certain]:
        problems[names[at]] = f"not there; the nearest is {files[at]}, which another row names"
        files[at] = names[at]
        del spelled[at]
    return MatchedImages(tuple(files), problems, _examples(spelled, names, files))


def _examples(
    spelled: dict[int, str], names: Sequence[str], files: Sequence[str]
) -> tuple[tuple[str, int, str, str], ...]:
    counts = Counter(spelled.values())
    first = {how: at for at, how in reversed(spelled.items())}
    return tuple((how, count, names[first[how]], files[first[how]]) for how, count in counts.most_common())


_Table = dict[str, list[tuple[tuple[str, ...], str]]]
"""(parts of the path, file) by the last part."""


class _Index:
    """The files of a folder by their last part, in the form in which names are compared."""

    def __init__(self, files: Iterable[str]) -> None:
        self.by_name: _Table = defaultdict(list)
        self.by_stem: _Table = defaultdict(list)
        self.by_number: _Table = defaultdict(list)
        for file in files:
            parts = tuple(_folded(file).split("/"))
            self.by_name[parts[-1]].append((parts, file))
            self.by_stem[stem_of(parts[-1])].append((parts, file))
            if (number := number_of(stem_of(parts[-1]))) is not None:
                self.by_number[str(number)].append((parts, file))

    def find(self, name: str, root: str) -> list[str]:
        """Return the files that a name can mean."""
        for path in _paths(name):
            if path.startswith(root.rstrip("/") + "/"):
                path = path[len(root.rstrip("/")) + 1 :]
            parts = tuple(part for part in _folded(path).split("/") if part not in ("", "."))
            if not parts or ".." in parts:
                continue
            for last, table in self._keys(parts[-1]):
                if found := _fitting((*parts[:-1], last), table.get(last, [])):
                    exact = [file for file in found if os.path.basename(file) == os.path.basename(path)]
                    return exact if len(exact) == 1 else found
        return []

    def _keys(self, last: str) -> list[tuple[str, _Table]]:
        """Return what to look a name up by: its last part, without suffix, without an upload's prefix.

        A number is also looked up without the zeros before it, which spreadsheets drop.
        """
        stem = stem_of(last) if looks_like_image(last) else last
        keys = [(last, self.by_name), (stem, self.by_stem)]
        if _UPLOAD.match(last):
            keys += [(_UPLOAD.sub("", last, 1), self.by_name), (_UPLOAD.sub("", stem, 1), self.by_stem)]
        if (number := number_of(stem)) is not None:
            keys.append((str(number), self.by_number))
        return keys

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
    if URL.match(plain) or "?" in plain:
        url = urlsplit(plain)
        found += [value for _, value in parse_qsl(url.query) if looks_like_image(value)]
        found.append(url.path)
    decoded = [unquote(path) for path in found if "%" in path]
    return found + decoded


def _fitting(parts: tuple[str, ...], files: list[tuple[tuple[str, ...], str]]) -> list[str]:
    """Return the files whose folders continue the name's folders, or the other way around; the longest first.

    The last parts are known to agree. Of several files, those win that share most folders with the name.
    """
    best = 0
    found: list[str] = []
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


def _problem(name: str, found: list[str], near: str) -> str:
    if found:
        several = ", ".join(found[:3]) + (" and more" if len(found) > 3 else "")
        return f"{_FITS} {len(found)} files: {several}"
    where = "outside the folder, and not in it" if os.path.isabs(name) else "not there"
    return f"{where}; the nearest is {near}" if near else where
