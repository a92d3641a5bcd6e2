"""The life of a run: begun or resumed, and ended in a state that says how."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import mlflow
from mlflow.tracking import MlflowClient

from .. import __version__
from ..errors import TrackingError
from ..interruption import terminable
from ..progress import tell
from .outage import store_errors
from .patience import BRIEF, patience, patiently
from .provenance import environment, git_commit
from .run import Run
from .run_folder import claimed, end_abandoned_runs
from .tracking_store import open_store

_LAST_TRY = 2.0
"""Seconds of patience after an error or a signal."""


@contextmanager
def tracked_run(
    experiment: str,
    name: str | None = None,
    tags: Mapping[str, str] | None = None,
    *,
    run_id: str | None = None,
    nested: bool = False,
    folders: Path | None = None,
) -> Iterator[Run]:
    """Record what happens inside as one run.

    The run ends as FINISHED, as KILLED after Ctrl-C or SIGTERM, else as FAILED, and keeps what was logged so
    far. An exception that ends it carries a note with the command that resumes it, where there is one.

    Args:
        experiment: created if needed.
        name: of a new run.
        tags: of a new run; a resumed one keeps those it has.
        run_id: a run to resume. `mlflow run` brings its own too.
        nested: whether it belongs to the run around it.
        folders: where runs keep what they need to be resumed, in a folder each; see `Run.folder`.

    Raises:
        TrackingError: the store cannot be used, or another process is training the run.
    """
    experiment_id = open_store(experiment)
    with ExitStack() as stack:
        stack.enter_context(patience(BRIEF))
        if folders and run_id:
            stack.enter_context(claimed(folders / run_id))
        run = _start(experiment_id, name, tags or {}, run_id, nested, folders)
        if folders and not run_id:
            stack.enter_context(claimed(folders / run.id))
            end_abandoned_runs(folders)
        tell(f"Run {run.id}")
        yield from _until_end(run)


def _start(
    experiment_id: str,
    name: str | None,
    tags: Mapping[str, str],
    run_id: str | None,
    nested: bool,
    folders: Path | None,
) -> Run:
    own = {"aimonk.version": __version__, **({"mlflow.source.git.commit": c} if (c := git_commit()) else {})}
    with store_errors():
        active = mlflow.start_run(
            run_id=run_id,
            experiment_id=experiment_id,
            run_name=None if run_id else name,
            nested=nested,
            tags=own if run_id else {**own, **tags},
        )
    folder = folders / active.info.run_id if folders else None
    return Run(active.info.run_id, active.info.experiment_id, folder, resumed=run_id is not None)


def _until_end(run: Run) -> Iterator[Run]:
    status = "FAILED"
    try:
        with terminable():
            run.json("environment.json", environment())
            yield run
            run.flush()
            status = "FINISHED"
            _set_status(run, status)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            status = "KILLED"
        if run.resume_command:
            error.add_note(f"Resume it with: {run.resume_command}")
        # The error that ended the run is reported, not those it leads to.
        with suppress(TrackingError), patience(_LAST_TRY):
            run.flush()
            _set_status(run, status)
        raise
    finally:
        run.close()
        with suppress(Exception):  # the status is set; MLflow only has to forget the run
            mlflow.end_run(status)
    if run.folder:
        shutil.rmtree(run.folder, ignore_errors=True)


def _set_status(run: Run, status: str) -> None:
    def work() -> None:
        with store_errors():
            MlflowClient().set_terminated(run.id, status)

    patiently(work)
