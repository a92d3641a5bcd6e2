"""Fitting a linear head on stored features."""

from __future__ import annotations

import dataclasses

import numpy as np

from ...backbones.linear_head import LinearHead
from ...config import TrainingConfig
from ..backend import keras, tf
from ..class_weights import pos_weights, prevalences
from ..history import History, Observer
from .batches import batch_count, padded, shuffled
from .head_step import Parameters, Problem, State, compiled_epoch, compiled_loss, start
from .scaling import Scaling
from .schedule import learning_rates

VALIDATION_ROWS = 256
"""Rows of a validation batch: one shape for most validation sets."""
STEPS_MULTIPLE = 8
"""Iterations per epoch are padded to a multiple of this, so that folds share one compiled function."""


def fit_head(
    features: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    validation: np.ndarray,
    config: TrainingConfig,
    observer: Observer | None = None,
) -> tuple[LinearHead, History]:
    """Train a linear head with Adam, early stopping and best weights, as `config` says.

    `features` is `(N, D) float32`, or `(V, N, D)` with several views of each image: every epoch draws one
    view per training image, and validation looks at view 0. `targets` is `(N, L)`. `train (n,)` and
    `validation (m,)` index images; an empty `validation` switches early stopping off. Class weights and
    scaling come from the training images alone. With `patience` 0 the last weights are kept, else those of
    the epoch with the lowest validation loss. Losses are those of the data, without the l2 penalty.

    The same arguments give the same result, bit for bit, on one machine. Safe to call from several threads.
    """
    views = features.reshape(-1, *features.shape[-2:])
    problem = _problem(views, targets, train, config)
    fitting = _Fitting(problem, _initial(problem, config.seed), train, validation, len(views), config)
    history = fitting.run(observer)
    return _unscaled(fitting.best, problem), history


@dataclasses.dataclass
class _Fitting:
    """A fit under way."""

    problem: Problem
    state: State
    train: np.ndarray
    validation: np.ndarray
    views: int
    config: TrainingConfig

    def __post_init__(self) -> None:
        self.best: Parameters = self.state.parameters
        self.steps = batch_count(len(self.train), self.config.batch_size)
        self.rates = learning_rates(
            self.config.schedule, self.config.learning_rate, self.steps * self.config.epochs
        )
        self.validation_rows = tf.constant(padded(self.validation, VALIDATION_ROWS))

    def run(self, observer: Observer | None) -> History:
        """Train until the last epoch, or until patience is out."""
        losses: list[np.ndarray] = []
        validation: list[float] = []
        best = 0
        for epoch in range(1, self.config.epochs + 1):
            losses.append(self._epoch(epoch))
            if len(self.validation):
                validation.append(self._validation_loss())
            watched = self.config.patience and validation
            if not watched or validation[-1] < min(validation[:-1], default=np.inf):
                best, self.best = epoch, self.state.parameters
            _tell(observer, epoch, self.steps, losses[-1], validation)
            if self.config.patience and epoch - best >= self.config.patience:
                break
        ends = tuple(self.steps * epoch for epoch in range(1, len(losses) + 1))
        return History(np.concatenate(losses or [np.zeros(0, np.float32)]), ends, tuple(validation), best)

    def _epoch(self, epoch: int) -> np.ndarray:
        rows = shuffled(self.train, self.config.seed, epoch)
        if self.views > 1:
            draw = np.random.default_rng([self.config.seed, epoch, self.views])
            rows = rows + len(self.problem.targets) * draw.integers(self.views, size=len(rows))
        table = padded(rows, self.config.batch_size, STEPS_MULTIPLE)
        rates = np.zeros(len(table), dtype=np.float32)
        rates[: self.steps] = self.rates[self.steps * (epoch - 1) : self.steps * epoch]
        self.state, losses = compiled_epoch(self.config.loss)(
            self.problem, self.state, tf.constant(table), tf.constant(self.steps), tf.constant(rates)
        )
        return np.asarray(losses.numpy()[: self.steps])

    def _validation_loss(self) -> float:
        rows = self.validation_rows
        loss = compiled_loss(self.config.loss)
        return float(loss(self.problem, self.state.parameters, rows, tf.constant(len(rows))))


def _problem(views: np.ndarray, targets: np.ndarray, train: np.ndarray, config: TrainingConfig) -> Problem:
    scaling = Scaling.of(views, train) if config.scale_features else Scaling.none(views.shape[-1])
    known = targets[train]
    arrays = (
        views.reshape(-1, views.shape[-1]),
        targets,
        scaling.mean,
        scaling.scale,
        pos_weights(known, config.pos_weight_power, config.pos_weight_max),
        prevalences(known),
        config.l2,
        config.weight_decay,
    )
    return Problem(*(tf.constant(np.asarray(array, dtype=np.float32)) for array in arrays))


def _initial(problem: Problem, seed: int) -> State:
    """Glorot uniform kernel and zero bias, as a Keras Dense layer has them."""
    shape = (problem.features.shape[1], problem.targets.shape[1])
    kernel = keras.initializers.GlorotUniform(seed=seed)(shape)
    return start(kernel, tf.zeros(shape[1]))


def _unscaled(parameters: Parameters, problem: Problem) -> LinearHead:
    scaling = Scaling(problem.mean.numpy(), problem.scale.numpy())
    return scaling.folded(LinearHead(parameters.kernel.numpy(), parameters.bias.numpy()))


def _tell(
    observer: Observer | None, epoch: int, steps: int, losses: np.ndarray, validation: list[float]
) -> None:
    if observer is None:
        return
    observer.iterations((epoch - 1) * steps + 1, losses)
    observer.epoch(epoch, epoch * steps, validation[-1] if validation else None)
