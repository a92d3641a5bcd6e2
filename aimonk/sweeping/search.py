"""The search itself: generations of trials, tried fold by fold, the fits of one fold side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..data.split import Split
from ..evaluation.metrics import average_precision
from ..progress import ProgressCallback
from ..runtime.processors import usable_processors
from ..training.history import History
from ..training.learner import FittedModel, Learner
from .space import Settings
from .study import Study
from .trials import FoldResult, Trial

if TYPE_CHECKING:
    from optuna import Trial as Asked

GENERATION = 4
"""Heads tried side by side, whatever the number of processors: the sampler learns between generations."""


@dataclass
class _Attempt:
    """A trial under way."""

    asked: Asked
    learner: Learner
    started: float = field(default_factory=time.time)
    folds: list[FoldResult] = field(default_factory=list)
    history: History | None = None
    pruned: bool = False

    def fit(self, split: Split, targets: np.ndarray) -> None:
        fitted = self.learner.fit(split)
        self.history = self.history or fitted.history
        self.folds.append(result(fitted, split, targets))

    def over(self, number: int) -> Trial:
        assert self.history is not None
        return Trial(
            number,
            dict(self.asked.params),
            tuple(self.folds),
            self.pruned,
            self.history,
            self.started,
            time.time(),
        )


def search(
    study: Study,
    learner_of: Callable[[Settings], Learner],
    targets: np.ndarray,
    splits: Sequence[Split],
    trials: int,
    first: Settings | None,
    generation: int,
    on_trial: Callable[[Trial], object],
    progress: ProgressCallback,
) -> None:
    """Try settings until `trials` trials are over, and call `on_trial` with each.

    Args:
        study: what is over already, and what to try next.
        learner_of: a prepared learner for some settings.
        targets: `(N, L)` of the data set.
        splits: of the folds.
        trials: how many there are to be in all.
        first: the settings to begin with.
        generation: trials under way at once, in as many threads as there are processors for them.
        on_trial: called with each trial that is over, in order.
        progress: counts fits, those that were not made because the trial was stopped early too.
    """
    total = trials * len(splits)
    with _side_by_side(generation) as each:
        while (over := len(study.trials)) < trials:
            asked = study.ask(min(generation, trials - over), first)
            attempts = [_Attempt(trial, learner_of(trial.params)) for trial in asked]
            for step, split in enumerate(splits, start=1):
                _try_fold([a for a in attempts if not a.pruned], split, targets, each, step == len(splits))
                progress(over * len(splits) + step * len(attempts), total)
            for attempt in attempts:
                trial = attempt.over(study.next_number)
                study.tell(attempt.asked, trial)
                on_trial(trial)


_Each = Callable[[Callable[[_Attempt], object], list[_Attempt]], object]


def _try_fold(
    attempts: list[_Attempt], split: Split, targets: np.ndarray, each: _Each, is_last: bool
) -> None:
    """Fit all of them, and only then ask which are to be stopped: none depends on how fast another one is."""
    each(lambda attempt: attempt.fit(split, targets), attempts)
    for attempt in attempts:
        attempt.asked.report(float(np.mean([f.score for f in attempt.folds])), len(attempt.folds))
    for attempt in attempts:
        attempt.pruned = not is_last and bool(attempt.asked.should_prune())


@contextmanager
def _side_by_side(most: int) -> Iterator[_Each]:
    """`each(do, attempts)` in several threads; after Ctrl-C what has not begun is left out."""
    threads = min(most, usable_processors())
    if threads == 1:
        yield lambda do, attempts: list(map(do, attempts))
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="trial")
    try:
        yield lambda do, attempts: list(pool.map(do, attempts))
    finally:
        pool.shutdown(cancel_futures=True)


def result(fitted: FittedModel, split: Split, targets: np.ndarray) -> FoldResult:
    """What is kept of a fit. A training that diverged scores 0, and its logits are 0."""
    validation, test = fitted.logits(split.validation), fitted.logits(split.test)
    sound = np.isfinite(validation).all() and np.isfinite(test).all()
    score = float(np.nanmean(average_precision(targets[split.validation], validation))) if sound else 0.0
    if not sound:
        validation, test = np.zeros_like(validation), np.zeros_like(test)
    return FoldResult(score, fitted.epochs, validation.astype(np.float32), test.astype(np.float32))
