"""What was understood of a labels file: said in the terminal, in JSON and in the report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ReadAs:
    """How a labels file was read. Empty fields do not apply to its format.

    Attributes:
        format: For people, such as `CSV` or `COCO`.
        encoding: Of the text, such as `utf-8`.
        delimiter: Between cells, such as `,`.
        image_column: Column that names the image; its number where it has no name.
        attributes: Names of the attributes.
        tags: Columns whose cells hold names, and `separator` between two of them.
        present: (token, cells) of what was read as present; likewise `absent` and `unknown`, with "" for
            a blank cell.
        left_out: (column, reason).
        bookkeeping: Attributes whose names suggest that they are no labels.
        group: Column or regular expression, and `groups`, how many groups it forms.
        split: Column of predefined sets, and `sets`, images by set.
        rows: Rows of labels, and `images`, how many different images they name.
        contradictions: Labels on which rows of one image disagree; they became unknown.
        matched: (difference, images, example in the labels, its file) of names matched to a file that is
            spelled otherwise.
        notes: Further sentences.
    """

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    image_column: str = ""
    attributes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    separator: str = ""
    present: tuple[tuple[str, int], ...] = ()
    absent: tuple[tuple[str, int], ...] = ()
    unknown: tuple[tuple[str, int], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    bookkeeping: tuple[str, ...] = ()
    group: str = ""
    groups: int = 0
    split: str = ""
    sets: tuple[tuple[str, int], ...] = ()
    rows: int = 0
    images: int = 0
    contradictions: int = 0
    matched: tuple[tuple[str, int, str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the record as dictionaries, lists, numbers and strings.

        >>> ReadAs(format="CSV", present=(("1", 3),)).to_json()["present"]
        {'1': 3}
        """
        record = asdict(self)
        for key in ("present", "absent", "unknown", "left_out", "sets"):
            record[key] = dict(record[key])
        for key in ("attributes", "tags", "bookkeeping", "notes"):
            record[key] = list(record[key])
        record["merged_rows"] = self.rows - self.images
        record["matched"] = [
            {"difference": how, "images": count, "label": name, "file": file}
            for how, count, name, file in self.matched
        ]
        return record

    def sentences(self) -> list[str]:
        """Return what was understood as sentences for people; the first two say the essential part."""
        return [
            self._file(),
            self._tokens(),
            *(f"The column {name!r} is left out: {why}." for name, why in self.left_out),
            *self._bookkeeping(),
            *self._structure(),
            *(_difference(*found) for found in self.matched),
            *self.notes,
        ]

    def _file(self) -> str:
        details = [self.encoding] if self.encoding else []
        if self.delimiter:
            details.append(
                {"\t": "tabs", ";": "semicolons", ",": "commas"}.get(self.delimiter, self.delimiter)
            )
        form = f"{self.format} ({', '.join(details)})" if details else self.format
        names = shortened(self.attributes)
        where = f" by the column {self.image_column!r}" if self.image_column else ""
        images = "1 image" if self.images == 1 else f"{self.images} images"
        plural = "" if len(self.attributes) == 1 else "s"
        return f"Read as {form}: {images}{where}, {len(self.attributes)} attribute{plural}: {names}."

    def _tokens(self) -> str:
        if self.tags:
            columns = " and ".join(map(repr, self.tags))
            by = f", separated by {self.separator!r}" if self.separator else ""
            return f"Each name in {columns}{by} is an attribute of its image; {self._said()}."
        return f"{self._said()[:1].upper()}{self._said()[1:]}."

    def _said(self) -> str:
        parts = []
        for meaning in ("present", "absent", "unknown"):
            if tokens := getattr(self, meaning):
                spelled = ", ".join(f"{token or 'blank'} ({count})" for token, count in tokens[:6])
                more = f" and {len(tokens) - 6} more" if len(tokens) > 6 else ""
                parts.append(f"{meaning}: {spelled}{more}")
        return "; ".join(parts)

    def _bookkeeping(self) -> list[str]:
        if not self.bookkeeping:
            return []
        setting = ", ".join(f'"{name}"' for name in self.bookkeeping)
        return [
            f"{shortened(self.bookkeeping)} may be bookkeeping instead of attributes: "
            f"labels.ignore=[{setting}] leaves them out."
        ]

    def _structure(self) -> list[str]:
        found = []
        if self.rows > self.images:
            images = "1 image" if self.images == 1 else f"{self.images} images"
            count = "counts" if self.contradictions == 1 else "count"
            found.append(
                f"{self.rows} rows name {images}; labels on which the rows of an image agree are kept, "
                f"{self.contradictions} on which they disagree {count} as unknown."
            )
        if self.group:
            groups = "1 group" if self.groups == 1 else f"{self.groups} groups"
            found.append(f"{self.group!r} puts the images into {groups}.")
        if self.split:
            sets = ", ".join(f"{count} {name}" for name, count in self.sets)
            found.append(f"The column {self.split!r} assigns the sets: {sets}.")
        return found


def _difference(how: str, count: int, name: str, file: str) -> str:
    if count == 1:
        return f"1 image name differs from its file by {how}: {name!r} for {file!r}."
    return f"{count} image names differ from their files by {how}, such as {name!r} for {file!r}."


def shortened(names: tuple[str, ...], most: int = 8) -> str:
    """Return names separated by commas, cut after `most`.

    >>> shortened(("a", "b", "c"), 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
