"""The losses of a training, and the observer that receives them while it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class History:
    """The losses of one training."""

    iteration_losses: np.ndarray
    """`(T,) float32`: the true loss of every batch, not a running mean."""
    epoch_steps: tuple[int, ...]
    """Iterations done at the end of each epoch."""
    validation_losses: tuple[float, ...]
    """Per epoch; empty without monitored images."""
    best_epoch: int
    """1-based epoch whose weights are kept."""


class Observer(Protocol):
    """Receives losses while training runs, so that training itself need not log or draw."""

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        """`losses[i]` is the raw loss of iteration `first_step + i` (1-based)."""

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        """An epoch (1-based) ended after iteration `step`."""


@dataclass(frozen=True)
class SecondPhase:
    """An observer of a second training, whose steps and epochs count on from those of the first."""

    first: History
    observer: Observer

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        """See `Observer`."""
        self.observer.iterations(len(self.first.iteration_losses) + first_step, losses)

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        """See `Observer`."""
        done = len(self.first.iteration_losses)
        self.observer.epoch(len(self.first.epoch_steps) + epoch, done + step, validation_loss)


@dataclass(frozen=True)
class EpochProgress:
    """An observer that shows how many epochs of several trainings are over, and passes on what it is told."""

    progress: Callable[[int, int], None]
    """Called with (epochs done, epochs)."""
    before: int
    """Epochs of the trainings before this one."""
    total: int
    observer: Observer | None = None

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        """See `Observer`."""
        if self.observer:
            self.observer.iterations(first_step, losses)

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        """See `Observer`."""
        self.progress(self.before + epoch, self.total)
        if self.observer:
            self.observer.epoch(epoch, step, validation_loss)


def joined(first: History, second: History) -> History:
    """One history of two trainings, the second counting on; what is kept is the second's."""
    done = len(first.iteration_losses)
    return History(
        iteration_losses=np.concatenate([first.iteration_losses, second.iteration_losses]),
        epoch_steps=(*first.epoch_steps, *(done + step for step in second.epoch_steps)),
        validation_losses=(*first.validation_losses, *second.validation_losses),
        best_epoch=len(first.epoch_steps) + second.best_epoch,
    )
