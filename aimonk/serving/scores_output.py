"""Where scores go: what they may replace there, and how the table takes its place."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import AimonkError
from .remote_files import local_path, open_location
from .score_options import ScoreOptions
from .scores_table import check_suffix, table_writer, wide_table

if TYPE_CHECKING:
    import pyarrow as pa

_SHARD = re.compile(r"part-\d{5,}-of-\d{5,}(\.parquet|\.csv)")
_HEADER = 1 << 24
"""Bytes in which the first line of a CSV file ends, if it is ours."""


def check_replaceable(out: str, shards: int) -> None:
    """Refuse to write over anything but scores, such as somebody's labels or the output of another program.

    A file replaces a table of scores. A folder of shards replaces a folder that holds nothing but such tables
    under the names of shards, or nothing at all.

    Raises:
        AimonkError: something else is there.
    """
    fs, path = open_location(out)
    fs.invalidate_cache()
    if not fs.exists(path):
        return
    if shards and not fs.isdir(path):
        raise AimonkError(f"{out} is a file, but shards are a folder; name another output, or remove it.")
    if shards and not _holds_only_shards(fs, path):
        raise AimonkError(f"{out} exists and is not a folder of scores; name another output, or remove it.")
    if not shards and fs.isdir(path):
        raise AimonkError(
            f"{out} is a folder, but one file is written; name another output, or give --shards."
        )
    if not shards and not _is_table_of_scores(fs, path):
        raise AimonkError(f"{out} exists and is no table of scores; name another output, or remove it.")


def write_table(
    tables: Iterable[pa.Table],
    rows: int,
    attributes: Sequence[str],
    out: str,
    folder: str,
    options: ScoreOptions,
) -> None:
    """Write long tables in the format asked for, below `folder`, and then move the result to `out`.

    Raises:
        AimonkError: meanwhile something that is no scores has come to be there.
    """
    fs, target = open_location(out)
    suffix = check_suffix(out)
    shaped = (wide_table(table, attributes) for table in tables) if options.format == "wide" else iter(tables)
    if not options.shards:
        _write_file(fs, f"{folder}/table", suffix, shaped)
        check_replaceable(out, 0)
        fs.mv(f"{folder}/table", target)
        return
    if fs.exists(f"{folder}/shards"):  # a killed call's, which may have been cut otherwise
        fs.rm(f"{folder}/shards", recursive=True)
    sizes = [rows * (n + 1) // options.shards - rows * n // options.shards for n in range(options.shards)]
    for number, shard in enumerate(_cut(shaped, sizes)):
        name = f"part-{number:05d}-of-{options.shards:05d}{suffix}"
        _write_file(fs, f"{folder}/shards/{name}", suffix, shard)
    check_replaceable(out, options.shards)
    if fs.exists(target):
        fs.rm(target, recursive=True)
    fs.mv(f"{folder}/shards", target, recursive=True)


def _write_file(fs: Any, path: str, suffix: str, tables: Iterable[pa.Table]) -> None:
    fs.makedirs(path.rpartition("/")[0], exist_ok=True)
    with fs.open(path, "wb") as file, table_writer(file, suffix) as write:
        for table in tables:
            write(table)


def _cut(tables: Iterator[pa.Table], sizes: list[int]) -> Iterator[Iterator[pa.Table]]:
    """Tables regrouped into runs of so many rows, of which the last has some. Each has to be used up in turn.

    A run of no rows is an empty table, so that its file has columns too.
    """
    rest: list[pa.Table] = []

    def run(size: int) -> Iterator[pa.Table]:
        while True:
            table = rest.pop() if rest else next(tables)
            yield table.slice(0, size)
            if len(table) > size:
                rest.append(table.slice(size))
            size -= len(table)
            if size <= 0:
                return

    return map(run, sizes)


def _holds_only_shards(fs: Any, folder: str) -> bool:
    here = local_path(fs, folder)
    if here and here.is_symlink():
        return False
    itself = folder.rstrip("/")  # some buckets list it, too
    entries = fs.ls(folder, detail=True)
    return all(_is_shard(fs, entry) for entry in entries if entry["name"].rstrip("/") != itself)


def _is_shard(fs: Any, entry: dict[str, Any]) -> bool:
    name = entry["name"].rpartition("/")[2]
    return (
        entry["type"] == "file"
        and not entry.get("islink")
        and _SHARD.fullmatch(name) is not None
        and _is_table_of_scores(fs, entry["name"])
    )


def _is_table_of_scores(fs: Any, path: str) -> bool:
    if not fs.isfile(path):
        return False
    try:
        with fs.open(path, "rb") as file:
            if path.lower().endswith(".parquet"):
                import pyarrow.parquet as pq

                columns = pq.read_schema(file).names
            else:
                columns = next(csv.reader([file.readline(_HEADER).decode("utf-8", "replace")]), [])
    except (OSError, ValueError, NotImplementedError, csv.Error):
        return False
    return columns[:1] == ["image"] and "error" in columns
