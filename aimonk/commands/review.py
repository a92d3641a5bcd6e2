"""`aimonk review`: doubtful labels settled on a local page."""

from __future__ import annotations

import getpass
from collections.abc import Iterable
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from ..config_file import load_config
from ..data.dataset import Dataset
from ..data.labels import write_labels
from ..errors import ConfigError
from ..evaluation.review_bias import reviewed_precision
from ..progress import recorded, stage
from ..publishing.publish_review import publish_review
from ..results.review_result import ReviewResult
from ..reviewing.answer_journal import AnswerJournal, journal_path
from ..reviewing.corrected_labels import correct_labels
from ..reviewing.held_out_probabilities import held_out_probabilities
from ..reviewing.review_app import serve_page
from ..reviewing.review_queues import build_queues
from ..reviewing.review_record import write_record
from ..reviewing.review_session import ReviewSession
from ..reviewing.review_tally import tally
from ..reviewing.reviewed_cells import compare_runs, reviewed_cells
from ..reviewing.suggested_cells import read_suggestions
from ..tracking.predictions_table import read_predictions
from .read_data import read_data


def review(
    data: str | Path,
    labels: str | Path | None = None,
    *,
    run: str,
    settings: Iterable[str] = (),
    port: int = 0,
    out: str | Path | None = None,
    reviewer: str = "",
    suggestions: str | Path | None = None,
    limit: int = 500,
    control_share: float = 0.2,
    blind: bool = True,
    page: bool = True,
    against: str = "",
    reviewer_error: float = 0.0,
) -> ReviewResult:
    """Settle doubtful labels on a local page; the labels file stays as it is.

    The page is served on 127.0.0.1 until Ctrl-C. Each answer is appended to a journal beside the labels,
    `LABELS.review.jsonl`, which a later review resumes.

    >>> aimonk.review("photos", "labels.csv", run="4f0c", out="corrected.csv")  # doctest: +SKIP

    Args:
        data: folder of images.
        labels: labels file; by default `labels.txt`, else `labels.csv`, in the folder or beside it.
        run: id of a training run on these data; its out-of-fold scores tell what is doubtful.
        settings: `section.key=value` for any setting.
        port: 0 chooses a free one.
        out: file to write the corrected labels to, when the page is closed.
        reviewer: who answers; by default the user's name.
        suggestions: CSV file of cells to label next, see `read_suggestions`.
        limit: the largest number of cells of a queue.
        control_share: share of a queue that is a random sample of known labels.
        blind: show label and model only after the answer.
        page: False sums up the answers so far, without a page.
        against: id of a run that was trained on the corrected labels, to compare with `run`.
        reviewer_error: share of answers that are wrong, as far as you know.

    Raises:
        LabelsError: the labels are absent or not valid, or the journal cannot be written.
        ModelError: the run scored none of these images.
        TrackingError: the store cannot be used.
        ConfigError: `out` is the labels file, a share is out of its range, or another program listens at
            the port.
    """
    _check_shares(control_share, reviewer_error)
    config = load_config(None, settings)
    with recorded() as record, ExitStack() as cleanup:
        dataset = read_data(data, labels, config, keep_unlearnable=True)
        _check_out(out, dataset)
        with stage("run", "Scores of the run"):
            probabilities = _probabilities(dataset, run)
            later = _probabilities(dataset, against) if against else None
        cells = build_queues(
            dataset,
            probabilities,
            limit=limit,
            control_share=control_share,
            suggested=read_suggestions(Path(suggestions), dataset) if suggestions else None,
        )
        journal = cleanup.enter_context(closing(AnswerJournal(journal_path(dataset.labels))))
        name = reviewer or getpass.getuser()
        session = ReviewSession(dataset, cells, journal, reviewer=name, run=run, blind=blind)
        if page:
            serve_page(session, port)
        assert dataset.table is not None
        latest = session.latest()
        corrections = correct_labels(dataset.table, latest)
        if out is not None:
            write_labels(corrections.table, Path(out))
            write_record(Path(out), run, journal.path)
        answered = reviewed_cells(dataset, latest)
        comparison = None
        if later is not None:
            comparison = compare_runs(dataset, answered, probabilities, later, reviewer_error)
        found = ReviewResult(
            run=run,
            journal=journal.path,
            out=Path(out) if out is not None else None,
            cells=len(cells),
            open=session.open_cells(),
            corrections=corrections,
            tally=tally(session.book),
            precision=reviewed_precision(answered, probabilities, reviewer_error=reviewer_error),
            against=against,
            comparison=comparison,
            warnings=tuple(record.warnings),
        )
        return publish_review(found, dataset.digest, config)


def _probabilities(dataset: Dataset, run: str) -> np.ndarray:
    """Return the run's out-of-fold probabilities, in the order of the data set."""
    return held_out_probabilities(dataset, read_predictions(run), run)


def _check_shares(control_share: float, reviewer_error: float) -> None:
    if not 0 <= control_share <= 0.9:
        raise ConfigError(f"control_share is {control_share:g}; give a share from 0 to 0.9.")
    if not 0 <= reviewer_error <= 0.4:
        raise ConfigError(f"reviewer_error is {reviewer_error:g}; give a share from 0 to 0.4.")


def _check_out(out: str | Path | None, dataset: Dataset) -> None:
    """Refuse to write over the user's labels."""
    if out is not None and Path(out).resolve() == dataset.labels.resolve():
        raise ConfigError(f"--out {out} is the labels file itself, which stays as it is; name another file.")
