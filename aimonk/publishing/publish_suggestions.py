"""What a choice of images to label leaves behind: a CSV file, and a run that records it."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

from ..atomic_files import replaced_file
from ..config import Config
from ..errors import LabelsError
from ..results.suggestion_result import Suggestion, SuggestionResult
from ..tracking.tracked_run import tracked_run


def publish_suggestions(found: SuggestionResult, training_run: str, config: Config) -> SuggestionResult:
    """Write `found.out`, if it names a file, and record the suggestions as a run of MLflow.

    Raises:
        LabelsError: the file cannot be written.
        TrackingError: the store cannot be used.
    """
    tags = {"aimonk.model": found.model_uri, "aimonk.training_run": training_run}
    with tracked_run(config.tracking.experiment, f"suggest by {found.model_uri}", tags) as run:
        done = dataclasses.replace(found, run_id=run.id)
        text = _csv(done)
        if found.out:
            try:
                with replaced_file(Path(found.out)) as temporary:
                    temporary.write_text(text, encoding="utf-8", newline="")
            except OSError as error:
                raise LabelsError(
                    f"The suggestions cannot be written to {found.out} ({error.strerror or error}); name "
                    "another file."
                ) from None
        run.params({"model": found.model_uri, "strategy": found.strategy, "n": len(found.suggestions)})
        run.metrics({"pool": found.pool})
        run.text("suggestions.csv", text)
    return done


def _csv(found: SuggestionResult) -> str:
    text = io.StringIO()
    columns = ["rank", *(field.name for field in dataclasses.fields(Suggestion))]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found.rows())
    return text.getvalue()
