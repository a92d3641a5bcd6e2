"""What a fill leaves behind: the table, the list of filled cells beside it, and a run that records both."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from ..atomic_files import temporary_beside
from ..config import Config, LabelsConfig
from ..data.dataset import Dataset
from ..data.labels.filled_cells import filled_csv
from ..data.labels.rewrite_labels import rewrite_labels
from ..errors import LabelsError
from ..results.fill_result import FillResult
from ..tracking.dataset_input import describe
from ..tracking.tracked_run import tracked_run


def publish_fill(
    found: FillResult, dataset: Dataset, cells: Mapping[tuple[str, str], float], config: Config
) -> FillResult:
    """Write `found.out` and its companion, and record the fill as a run of MLflow.

    Args:
        found: what is filled.
        dataset: the labels it was found for.
        cells: every cell that changes, by (image as the labels spell it, attribute): those that are filled,
            and as `MISSING` those that an earlier fill had filled and this one does not.
        config: how the labels are read, and the experiment.

    Raises:
        LabelsError: a file cannot be written; then none is.
        TrackingError: the store cannot be used.
    """
    name = f"fill {dataset.labels.name} by {found.model_uri}"
    tags = {"aimonk.model": found.model_uri, "aimonk.training_run": found.training_run}
    with tracked_run(config.tracking.experiment, name, tags) as run:
        form = _write(found, dataset.labels, cells, config.labels)
        done = dataclasses.replace(found, run_id=run.id, format=form)
        facts = {"filled": len(found.cells)}
        run.dataset(describe(dataset.folder, dataset.digest, len(dataset), dataset.counts, facts), "fill")
        run.params({"model": found.model_uri, "labels": dataset.labels, **dataclasses.asdict(found.promise)})
        run.metrics({"missing": sum(found.missing.values()), "filled": len(found.cells)})
        run.json("fill.json", done.to_json())
        run.text("filled_cells.csv", filled_csv(found.cells).decode())
    return done


def _write(
    found: FillResult, labels: Path, cells: Mapping[tuple[str, str], float], config: LabelsConfig
) -> str:
    """Write both files beside their places, then put them there; the labels are never without the list."""
    table, listed = temporary_beside(found.out), temporary_beside(found.companion)
    try:
        found.out.parent.mkdir(parents=True, exist_ok=True)
        form = rewrite_labels(labels, cells, table, config)
        listed.write_bytes(filled_csv(found.cells))
        os.replace(listed, found.companion)
        os.replace(table, found.out)
    except OSError as error:
        raise LabelsError(
            f"The filled labels cannot be written to {found.out} ({error.strerror or error}); name another "
            "file."
        ) from None
    finally:
        for path in (table, listed):
            with contextlib.suppress(OSError):
                path.unlink()
    return form
