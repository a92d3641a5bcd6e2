"""What a review leaves behind in MLflow: a run with its figures, its answers and the corrected labels."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

from ..config import Config
from ..results.review_result import ReviewResult
from ..tracking.tracked_run import tracked_run


def publish_review(found: ReviewResult, data_digest: str, config: Config) -> ReviewResult:
    """Record a review as a run of its own that names the training it belongs to.

    Args:
        found: the review; one without any answer is not recorded.
        data_digest: of the images and labels that were reviewed, see `Dataset.digest`.
        config: names the experiment.

    Raises:
        TrackingError: the store cannot be used.
    """
    if not found.tally.reviewers:
        return found
    tags = {"aimonk.training_run": found.run, "aimonk.data": data_digest}
    with tracked_run(config.tracking.experiment, f"review of {found.run}", tags) as run:
        done = dataclasses.replace(found, run_id=run.id)
        right, changes = found.precision.unbiased, found.corrections
        run.metrics(
            {
                "answered": found.cells - found.open,
                "flipped": changes.flipped,
                "filled": changes.filled,
                "removed": changes.removed,
                "confirmed": changes.confirmed,
                "ap_given_labels": found.precision.given,
                "ap_corrected_labels": found.precision.naive,
                "ap_right_labels": right.value,
                "ap_right_labels_low": right.low,
                "ap_right_labels_high": right.high,
            }
        )
        run.json("review.json", done.to_json())
        run.file("answers.jsonl", partial(Path.write_bytes, data=found.journal.read_bytes()))
        if found.out is not None:
            run.file("corrected_labels.csv", partial(Path.write_bytes, data=found.out.read_bytes()))
    return done
