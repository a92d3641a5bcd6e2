"""Optuna behind a small interface: which settings to try next, which trials to stop, what is kept on disk.

Trials are asked for in generations of a fixed size and told in order, so a sweep gives the same trials on any
number of processors. The file holds only trials that are over; whatever was under way when a process ended is
simply asked for again, from a sampler whose seed depends on how many are over.

The file is Optuna's SQLite and not its journal: a line that a killed process left there without an end
makes the whole journal unreadable with the next line that is written (tried with Optuna 5.0).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from filelock import FileLock, Timeout
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import OptunaError
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from ..atomic_files import replaced_file
from ..errors import ConfigError, FeatureStoreError
from .space import Choice, Dimension, Settings, Space
from .trials import Trial, read_trial, write_trial

RANDOM_TRIALS = 8
"""Trials before the sampler learns from them, and complete ones before any is stopped early."""
_NAME = "sweep"
_IDENTITY, _RUN = "aimonk.identity", "aimonk.run"

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Study:
    """Trials of one space on one data set; see `open_study`."""

    def __init__(self, folder: Path, kept: optuna.Study, space: Space, seed: int, blind: bool) -> None:
        self.folder, self.space, self.seed, self.blind = folder, space, seed, blind
        self._kept = kept
        self._distributions = {name: _distribution(space.dimensions[name]) for name in space.dimensions}
        pruner = optuna.pruners.NopPruner() if blind else optuna.pruners.MedianPruner(RANDOM_TRIALS)
        self._working = optuna.create_study(direction="maximize", pruner=pruner)
        self.trials: list[Trial] = []
        """Those that are over, in order; a trial whose file is damaged is not among them."""
        known = kept.trials
        self.next_number = len(known)
        for stored in known:
            if (trial := read_trial(self._file(stored.number))) is not None:
                self._working.add_trial(stored)
                self.trials.append(trial)

    @property
    def run(self) -> tuple[str, str] | None:
        """What was last set: the id of a run, and what that run was asked for."""
        found = self._kept.user_attrs.get(_RUN)
        return (found[0], found[1]) if found else None

    @run.setter
    def run(self, run: tuple[str, str]) -> None:
        with _errors(self.folder):
            self._kept.set_user_attr(_RUN, run)

    def ask(self, count: int, first: Settings | None = None) -> list[optuna.Trial]:
        """The next trials; a study without any begins with the settings `first`."""
        seed = int(np.random.SeedSequence([self.seed, self.next_number]).generate_state(1)[0])
        self._working.sampler = self._sampler(seed)
        if first is not None and not self.trials:
            self._working.enqueue_trial(dict(first))
        return [self._working.ask(self._distributions) for _ in range(count)]

    def tell(self, asked: optuna.Trial, trial: Trial) -> None:
        """Keep a trial that is over, whose number is `next_number`.

        Its file comes first, so that what the study names is there.
        """
        state = TrialState.PRUNED if trial.pruned else TrialState.COMPLETE
        told = self._working.tell(asked, None if trial.pruned else trial.score, state=state)
        write_trial(self._file(trial.number), trial)
        with _errors(self.folder):
            self._kept.add_trial(told)
        self.trials.append(trial)
        self.next_number += 1

    def importances(self) -> dict[str, float]:
        """How much each setting matters for the score, summing to 1, the most important first.

        Shares of explained variance by functional ANOVA over a random forest: Hutter, Hoos, Leyton-Brown, "An
        efficient approach for assessing hyperparameter importance", ICML 2014. Empty where too few trials
        were run in all folds, or all of these score alike.
        """
        complete = [trial for trial in self._working.trials if trial.state is TrialState.COMPLETE]
        if len(complete) < 4 or len({trial.value for trial in complete}) < 2:
            return {}
        from optuna.importance import FanovaImportanceEvaluator, get_param_importances

        found = get_param_importances(self._working, evaluator=FanovaImportanceEvaluator(seed=self.seed))
        return {name: float(share) for name, share in found.items()}

    def _sampler(self, seed: int) -> BaseSampler:
        if self.blind:
            return RandomSampler(seed)
        return TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS, constant_liar=True)

    def _file(self, number: int) -> Path:
        return self.folder / f"trial-{number:04d}.npz"


@contextmanager
def open_study(
    sweeps: Path, name: str, identity: str, space: Space, seed: int, blind: bool
) -> Iterator[Study]:
    """The study `name` below the folder `sweeps`, made where there is none, for this process alone.

    Args:
        sweeps: holds `<name>.db`, Optuna's own SQLite storage, and `<name>/`, a file per trial.
        name: a plain file name.
        identity: stands for all that a trial's score depends on besides its settings.
        space: what varies.
        seed: of the sampler.
        blind: draw settings at random and stop no trial early.

    Raises:
        ConfigError: the study was made with another identity, or another process has it open.
        FeatureStoreError: its files cannot be read or written.
    """
    path = sweeps / f"{name}.db"
    with _errors(path):
        (sweeps / name).mkdir(parents=True, exist_ok=True)
    with _alone(sweeps / name / "lock", name):
        with _errors(path):
            if not path.exists():
                _create(path, identity)
            storage = _storage(path)
            kept = optuna.load_study(study_name=_NAME, storage=storage)
            begun_with = kept.user_attrs.get(_IDENTITY)
        try:
            if begun_with != identity:
                raise ConfigError(
                    f"The sweep {name} was begun with other data, settings or another space; "
                    "choose another --name."
                )
            yield Study(sweeps / name, kept, space, seed, blind)
        finally:
            storage.engine.dispose()


def _create(path: Path, identity: str) -> None:
    """Create the study, so that its file either has its tables and its identity or does not exist."""
    with replaced_file(path) as fresh:
        storage = _storage(fresh)
        study = optuna.create_study(storage=storage, study_name=_NAME, direction="maximize")
        study.set_user_attr(_IDENTITY, identity)
        storage.engine.dispose()


def _storage(path: Path) -> Any:
    return optuna.storages.RDBStorage(f"sqlite:///{path.resolve()}")


@contextmanager
def _alone(path: Path, name: str) -> Iterator[None]:
    """Hold a lock that the system releases when the process ends, however it ends."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigError(
            f"Another process works on the sweep {name}; wait for it, or choose another --name."
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    """What goes wrong with the study's files, as one sentence."""
    try:
        yield
    except (OSError, sqlite3.Error, SQLAlchemyError, OptunaError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise FeatureStoreError(
            f"The sweep's file {path} cannot be used ({reason[:200]}); mend or delete it, "
            "or name another folder with features.store or AIMONK_STORE."
        ) from error


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    if dimension.integer:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
