"""Fitting a linear head on stored features, without TensorFlow."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...backbones.linear_head import LinearHead
from ...config import TrainingConfig
from ...features.image_vectors import ImageVectors
from ..history import History, Observer
from .adam import Adam
from .batches import batch_count, shuffled
from .glorot import glorot_uniform
from .lanes import opened_lanes
from .objective import FilledLabels, Objective
from .schedule import learning_rates

RATE = 0.4
"""The default learning rate for one feature. Adam moves every weight by about the rate, whatever the gradient
is, and a logit is a sum over D standardized features, whose weights are of the order 1 / sqrt(D)."""


def fit_probe(
    vectors: ImageVectors,
    targets: np.ndarray,
    train: np.ndarray,
    validation: np.ndarray,
    config: TrainingConfig,
    observer: Observer | None = None,
    filled: FilledLabels | None = None,
    weights: np.ndarray | None = None,
) -> tuple[LinearHead, History]:
    """Train a linear head with Adam, early stopping and best weights, as `config` says.

    Every iteration takes `batch_size` images, or all of them where that is 0. An epoch is one pass over the
    vectors of the training images. With several views each epoch draws one view of each training image;
    validation takes view 0. Class weights and scaling come from the training images alone. With `patience` 0
    the last weights are kept, else those of the epoch with the lowest validation loss.

    The same arguments give the same result, bit for bit, on one machine. Safe to call from several threads.

    Args:
        vectors: features of N images.
        targets: `(N, L)` of 1, 0 and MISSING.
        train: `(n,)` indices of images.
        validation: `(m,)` indices; where there is none, training does not stop early.
        config: see `TrainingConfig`.
        observer: told of each iteration's loss and each epoch's validation loss, both without the penalty.
        filled: labels that a model filled in, of lower weight; validation does not see them.
        weights: `(D,)` standard deviations that scaled features are to have, instead of 1.

    Returns:
        The head on raw features, and the losses.

    Example:
        >>> vectors = ImageVectors.of(np.array([[0.0], [1.0]], np.float32))
        >>> labels = np.array([[0.0], [1.0]], np.float32)
        >>> head, _ = fit_probe(vectors, labels, np.arange(2), np.arange(0), TrainingConfig())
        >>> head.logits(vectors.matrix).ravel().round(1).tolist()[0] < 0
        True

    """
    # A training that diverges shows in its losses.
    with np.errstate(over="ignore", invalid="ignore"), opened_lanes() as lanes:
        objective = Objective.of(vectors, targets, train, config, filled, weights, lanes)
        fitting = _Fitting(objective, train, validation, config)
        history = fitting.run(observer)
    return objective.scaling.folded(LinearHead(*fitting.best)), history


@dataclasses.dataclass
class _Fitting:
    """A fit under way."""

    objective: Objective
    train: np.ndarray
    validation: np.ndarray
    config: TrainingConfig

    def __post_init__(self) -> None:
        shape = (self.objective.vectors.width, self.objective.targets.shape[1])
        glorot = self.config.initial_weights == "glorot"
        self.kernel = glorot_uniform(shape, self.config.seed) if glorot else np.zeros(shape, np.float32)
        self.bias = np.zeros(shape[1], np.float32)
        self.adam = Adam([self.kernel, self.bias], [self.config.weight_decay, 0.0])
        self.best = self.kernel.copy(), self.bias.copy()
        self.size = self.config.batch_size or max(len(self.train), 1)
        self.steps = batch_count(len(self.train), self.size)
        rate = self.config.learning_rate or RATE / shape[0] ** 0.5
        self.rates = learning_rates(self.config.schedule, rate, self.steps * self.config.epochs)

    def run(self, observer: Observer | None) -> History:
        """Train until the last epoch, or until patience is out."""
        losses: list[np.ndarray] = []
        validation: list[float] = []
        best = 0
        for epoch in range(1, self.config.epochs + 1):
            losses.append(self._epoch(epoch))
            if len(self.validation):
                validation.append(self.objective.value(self.kernel, self.bias, self.validation))
            watched = self.config.patience and validation
            if not watched or validation[-1] < min(validation[:-1], default=np.inf):
                best, self.best = epoch, (self.kernel.copy(), self.bias.copy())
            _tell(observer, epoch, self.steps, losses[-1], validation)
            if self.config.patience and epoch - best >= self.config.patience:
                break
        ends = tuple(self.steps * epoch for epoch in range(1, len(losses) + 1))
        return History(np.concatenate(losses or [np.zeros(0, np.float32)]), ends, tuple(validation), best)

    def _epoch(self, epoch: int) -> np.ndarray:
        """Train on every image once; returns the loss of each batch before its step, `(steps,) float32`."""
        images, rows = self._order(epoch)
        rates = self.rates[self.steps * (epoch - 1) : self.steps * epoch]
        losses = np.empty(self.steps, np.float32)
        for number, rate in enumerate(rates):
            part = slice(number * self.size, (number + 1) * self.size)
            loss, *gradients = self.objective.gradient(self.kernel, self.bias, images[part], rows[part])
            self.adam.step(gradients, float(rate))
            losses[number] = loss
        return losses

    def _order(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Training images in the order of this epoch, and where the vectors of their views are."""
        vectors, seed = self.objective.vectors, self.config.seed
        images = shuffled(self.train, seed, epoch)
        views: np.ndarray | int = 0
        if vectors.views > 1:
            views = np.random.default_rng([seed, epoch, vectors.views]).integers(
                vectors.views, size=len(images)
            )
        rows = vectors.rows[views, images]
        if self.steps == 1:  # the order does not matter, so the table is read from one end to the other
            order = np.argsort(rows, kind="stable")
            return images[order], rows[order]
        return images, rows


def _tell(
    observer: Observer | None, epoch: int, steps: int, losses: np.ndarray, validation: list[float]
) -> None:
    if observer is None:
        return
    observer.iterations((epoch - 1) * steps + 1, losses)
    observer.epoch(epoch, epoch * steps, validation[-1] if validation else None)
