"""Score any number of images into one table, on one machine, in bounded memory; resumed after a kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from ..data.list_images import skipped_sentence
from ..errors import AimonkError, ConfigError
from ..runtime.predictor import Predictor
from .parquet_source import parquet_source
from .remote_files import lies_in, local_path, open_location, same_place, writing
from .score_options import IMAGE, ScoreOptions
from .scores_output import check_replaceable, write_table
from .scores_table import check_suffix, long_table
from .scoring_parts import ROWS_PER_PART, ScoringParts
from .scoring_source import ScoringSource, folder_source

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ScoringResult:
    """What was scored."""

    out: str
    images: int
    """Rows of the table, those of images that could not be read included."""
    unreadable: int
    max_unreadable: float = 1.0
    resumed: int = 0
    """Rows that an earlier, interrupted call had scored."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Files of the folder that are not images, counted by suffix."""

    @property
    def scored(self) -> int:
        """Images that could be read."""
        return self.images - self.unreadable

    @property
    def failed(self) -> bool:
        """Whether more images than allowed could not be read; the command then exits with 1."""
        return self.unreadable > self.max_unreadable * self.images

    def __str__(self) -> str:
        return "\n".join(self.summary())

    def to_json(self) -> dict[str, Any]:
        """Return a plain object."""
        return {**asdict(self), "scored": self.scored, "failed": self.failed}

    def summary(self) -> list[str]:
        """Sentences for people."""
        lines = [self._headline()]
        if self.resumed:
            lines.append(f"The first {self.resumed:,} had been done before the interruption.")
        if skipped := skipped_sentence(self.skipped):
            lines.append(skipped)
        if self.failed:
            share = self.unreadable / self.images
            lines.append(f"{share:.1%} are unreadable, more than the {self.max_unreadable:.1%} allowed.")
        return lines

    def _headline(self) -> str:
        if not self.unreadable:
            return f"{self.images:,} images were scored into {self.out}."
        if not self.scored:
            return f"None of {self.images:,} images could be read; the column `error` of {self.out} says why."
        return (
            f"{self.scored:,} of {self.images:,} images were scored into {self.out}; "
            f"{self.unreadable:,} could not be read, and the column `error` says why."
        )


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
        ConfigError: a column is named, but `data` is a folder.
        AimonkError: `out` is `data`, has another suffix, holds something else than scores, is being
            written by another process, or cannot be written.

    Example:
        >>> score(Predictor(package, throughput=True), "photos", "scores.parquet").images
        972
    """
    options = options or ScoreOptions()
    source = open_source(data, out, options)
    fs, path = open_location(out)
    plan: dict[str, object] = {
        "model": predictor.digest,
        "data": source.fingerprint,
        "rows": len(source.names),
        "layout": 1,
    }
    parts = ScoringParts(fs, path, plan)
    with writing(str(out)), parts.claimed():
        resumed = parts.resume() if options.resume else parts.start()
        _score_rest(predictor, source, parts, resumed, progress)
        unreadable = sum(len(table) - table["error"].null_count for table in parts.tables())
        write_table(parts.tables(), len(source.names), predictor.info.names, str(out), parts.folder, options)
        parts.remove()
    return ScoringResult(
        str(out), len(source.names), unreadable, options.max_unreadable, resumed, source.skipped
    )


def open_source(data: str | Path, out: str | Path, options: ScoreOptions) -> ScoringSource:
    """What is to be scored, after all has been checked that can be; see `check_places`.

    Raises:
        ImagesError: there is no such data, or no image in it.
        AimonkError: `out` cannot be written, or should not be.
    """
    check_places(data, out, options)
    fs, path = open_location(data)
    if fs.isfile(path):
        return parquet_source(data, options.image, options.name)
    return folder_source(data)


def check_places(data: str | Path, out: str | Path, options: ScoreOptions) -> None:
    """Refuse what cannot be scored into `out`, before a model is fetched for it.

    Raises:
        ConfigError: a column is named, but `data` is a folder.
        AimonkError: `out` is `data` or holds it, has another suffix, or is something else than scores.
    """
    check_suffix(str(out))
    here = local_path(*open_location(out))
    if here and not here.absolute().parent.is_dir():
        raise AimonkError(f"The scores cannot be written to {out}: there is no folder {here.parent}.")
    places = open_location(data), open_location(out)
    if same_place(*places) or lies_in(*places):
        raise AimonkError(f"The scores would replace the images in {data}; name another output.")
    check_replaceable(str(out), options.shards)
    fs, path = places[0]
    if (options.image != IMAGE or options.name) and fs.isdir(path):
        raise ConfigError(
            f"{data} is a folder, which has no columns; leave out --image and --name, or give --data a "
            "Parquet file."
        )


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
