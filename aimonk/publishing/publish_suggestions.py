"""What a choice of images to label leaves behind: a file for people or Label Studio, and a run."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Sequence
from pathlib import Path

from ..atomic_files import replaced_file
from ..config import Config
from ..data.labels.label_studio_tasks import AnsweredImage, label_studio_tasks, labeling_interface
from ..errors import LabelsError
from ..results.suggestion_result import Suggestion, SuggestionResult
from ..tracking.tracked_run import tracked_run


def publish_suggestions(
    found: SuggestionResult, folder: Path, attributes: Sequence[str], training_run: str, config: Config
) -> SuggestionResult:
    """Write `found.out`, if it names a file, and record the suggestions as a run of MLflow.

    Args:
        found: the suggestions.
        folder: of the images.
        attributes: that are asked for.
        training_run: of the model.
        config: names the experiment.

    Raises:
        LabelsError: the file cannot be written.
        TrackingError: the store cannot be used.
    """
    tags = {"aimonk.model": found.model_uri, "aimonk.training_run": training_run}
    with tracked_run(config.tracking.experiment, f"suggest by {found.model_uri}", tags) as run:
        done = dataclasses.replace(found, run_id=run.id)
        text = _csv(done)
        if found.for_label_studio:
            images = [AnsweredImage(one.image, one.present) for one in found.suggestions]
            tasks = label_studio_tasks(images, folder, found.model_uri)
            for file, content in zip(
                found.files, (json.dumps(tasks, indent=1), labeling_interface(attributes)), strict=True
            ):
                _write(Path(file), content)
        elif found.out:
            _write(Path(found.out), text)
        run.params({"model": found.model_uri, "strategy": found.strategy, "n": len(found.suggestions)})
        run.metrics({"pool": found.pool})
        run.text("suggestions.csv", text)
    return done


def _write(path: Path, text: str) -> None:
    try:
        with replaced_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise LabelsError(
            f"The suggestions cannot be written to {path} ({error.strerror or error}); name another file."
        ) from None


def _csv(found: SuggestionResult) -> str:
    text = io.StringIO()
    columns = ["rank", *(field.name for field in dataclasses.fields(Suggestion))]
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found.rows())
    return text.getvalue()
