"""Score any number of images into one table, on one machine, in bounded memory; resumed after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.list_images import skipped_sentence
from ..errors import AimonkError
from ..runtime.predictor import Predictor
from .parquet_source import parquet_source
from .remote_files import local_path, open_location, same_place, writing
from .scores_table import Format, check_replaceable, check_suffix, long_table, table_writer, wide_table
from .scoring_parts import ROWS_PER_PART, ScoringParts
from .scoring_source import ScoringSource, folder_source

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ScoreOptions:
    """How a table is read and written."""

    image: str = "image"
    """Column of a Parquet file that holds the images."""
    name: str = ""
    """Column that names its rows; empty: found, see `parquet_source`."""
    format: Format = "long"
    """`wide` writes a column per attribute; see `scores_table`."""
    shards: int = 0
    """Write a folder of so many files, `part-00000-of-00004.parquet`; 0: one file."""
    max_unreadable: float = 1.0
    """Share of images that may be unreadable before the scoring counts as failed."""
    resume: bool = True
    """Keep the rows that a killed scoring into the same output has left."""


@dataclass(frozen=True)
class ScoringResult:
    """What was scored."""

    out: str
    images: int
    unreadable: int
    max_unreadable: float = 1.0
    resumed: int = 0
    """Rows that an earlier, interrupted call had scored."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Files of the folder that are not images, counted by suffix."""

    @property
    def failed(self) -> bool:
        """Whether more images than allowed could not be read; the command then exits with 1."""
        return self.unreadable > self.max_unreadable * self.images

    def __str__(self) -> str:
        return "\n".join(self.summary())

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {**asdict(self), "failed": self.failed}

    def summary(self) -> list[str]:
        """Sentences for people."""
        lines = [f"{self.images:,} images were scored into {self.out}."]
        if self.resumed:
            lines.append(f"{self.resumed:,} of them had been scored before the interruption.")
        if self.unreadable:
            lines.append(f"{self.unreadable:,} could not be read; the column `error` says why.")
        if skipped := skipped_sentence(self.skipped):
            lines.append(skipped)
        if self.failed:
            share = self.unreadable / self.images
            lines.append(f"{share:.1%} are unreadable, more than the {self.max_unreadable:.1%} allowed.")
        return lines


def score(
    predictor: Predictor,
    data: str | Path,
    out: str | Path,
    options: ScoreOptions | None = None,
    progress: Progress | None = None,
) -> ScoringResult:
    """Score a folder of images, or a Parquet file, into a table.

    Reading, decoding, inference and writing overlap. The table takes its place when it is whole; until then
    an older one stays. A killed or failed call leaves its parts beside the output, where the same call finds
    them (see `scoring_parts`).

    Args:
        predictor: best loaded with `throughput=True`.
        data: folder or Parquet file; a path or a URI that `fsspec` knows.
        out: `NAME.parquet` or `NAME.csv`, likewise.
        options: see `ScoreOptions`.
        progress: called with (done, total).

    Raises:
        ImagesError: there is no such data, or no image in it.
        AimonkError: `out` is `data`, has another suffix, holds something else than scores, is being
            written by another process, or cannot be written.

    Example:
        >>> score(Predictor(package, throughput=True), "photos", "scores.parquet").images
        972
    """
    options = options or ScoreOptions()
    source = open_source(data, out, options)
    fs, path = open_location(out)
    check_replaceable(fs, path, str(out))
    plan: dict[str, object] = {
        "model": predictor.digest,
        "data": source.fingerprint,
        "rows": len(source.names),
        "layout": 1,
    }
    parts = ScoringParts(fs, path, plan)
    with writing(str(out)), parts.claimed():
        resumed = parts.resume() if options.resume else 0
        _score_rest(predictor, source, parts, resumed, progress)
        unreadable = sum(len(table) - table["error"].null_count for table in parts.tables())
        write_table(parts.tables(), len(source.names), predictor.info.names, str(out), parts.folder, options)
        parts.remove()
    return ScoringResult(
        str(out), len(source.names), unreadable, options.max_unreadable, resumed, source.skipped
    )


def open_source(data: str | Path, out: str | Path, options: ScoreOptions) -> ScoringSource:
    """What is to be scored, after the output has been checked.

    Raises:
        ImagesError: there is no such data, or no image in it.
        AimonkError: `out` is `data` or has another suffix.
    """
    check_suffix(str(out))
    here = local_path(*open_location(out))
    if here and not here.absolute().parent.is_dir():
        raise AimonkError(f"The scores cannot be written to {out}: there is no folder {here.parent}.")
    if same_place(open_location(data), open_location(out)):
        raise AimonkError(f"The scores would replace the images in {data}; name another output.")
    fs, path = open_location(data)
    if fs.isfile(path):
        return parquet_source(data, options.image, options.name)
    return folder_source(data)


def write_table(
    tables: Iterable[pa.Table],
    rows: int,
    attributes: Sequence[str],
    out: str,
    folder: str,
    options: ScoreOptions,
) -> None:
    """Write long tables in the format asked for, below `folder`, and then move the result to `out`."""
    fs, target = open_location(out)
    suffix = check_suffix(out)
    shaped = (wide_table(table, attributes) for table in tables) if options.format == "wide" else iter(tables)
    if not options.shards:
        _write_file(fs, f"{folder}/table", suffix, shaped)
        if fs.isdir(target):
            raise AimonkError(f"{out} is a folder; name another output, or remove it.")
        fs.mv(f"{folder}/table", target)
        return
    _check_replaceable(fs, target, out)
    sizes = [rows * (n + 1) // options.shards - rows * n // options.shards for n in range(options.shards)]
    for number, shard in enumerate(_cut(shaped, sizes)):
        name = f"part-{number:05d}-of-{options.shards:05d}{suffix}"
        _write_file(fs, f"{folder}/shards/{name}", suffix, shard)
    if fs.exists(target):
        fs.rm(target, recursive=True)
    fs.mv(f"{folder}/shards", target, recursive=True)


def _score_rest(
    predictor: Predictor, source: ScoringSource, parts: ScoringParts, start: int, progress: Progress | None
) -> None:
    total = len(source.names)
    answers = predictor.stream(source.images(start)) if start < total else iter(())
    while start < total:
        predictions = list(islice(answers, ROWS_PER_PART))
        names = source.names[start : start + len(predictions)]
        if len(predictions) < min(ROWS_PER_PART, total - start):
            raise AimonkError("The images changed while they were scored; score them again.")
        parts.add(start // ROWS_PER_PART, long_table(names, predictions))
        start += len(predictions)
        if progress:
            progress(start, total)


def _write_file(fs: Any, path: str, suffix: str, tables: Iterable[pa.Table]) -> None:
    fs.makedirs(path.rpartition("/")[0], exist_ok=True)
    with fs.open(path, "wb") as file, table_writer(file, suffix) as write:
        for table in tables:
            write(table)


def _cut(tables: Iterator[pa.Table], sizes: list[int]) -> Iterator[Iterator[pa.Table]]:
    """Tables regrouped into runs of so many rows. Each run has to be used up before the next one."""
    rest: list[pa.Table] = []

    def run(size: int) -> Iterator[pa.Table]:
        while size > 0:
            table = rest.pop() if rest else next(tables)
            yield table.slice(0, size)
            if len(table) > size:
                rest.append(table.slice(size))
            size -= len(table)

    return map(run, sizes)


def _check_replaceable(fs: Any, target: str, out: str) -> None:
    if not fs.exists(target):
        return
    names = [path.rpartition("/")[2] for path in fs.find(target)]
    if fs.isfile(target) or not all(name.startswith("part-") for name in names):
        raise AimonkError(f"{out} exists and is not a folder of scores; name another output, or remove it.")
