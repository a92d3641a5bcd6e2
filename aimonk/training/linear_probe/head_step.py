"""One epoch of a linear head as a single compiled function; all that a sweep varies is an argument of it.

Parameters, moments and step are values that go in and come out, so nothing is compiled anew for another
fold, shuffle, learning rate, penalty or class weight, and fits may run in several threads at once. Adam
is spelled out for that reason alone; a test holds it to `keras.optimizers.Adam`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from ..backend import tf
from ..losses import LOSSES, PADDING, Tensor, known_cells, mean_over_known

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
"""Keras' defaults for Adam."""


class Parameters(NamedTuple):
    """A head on scaled features: `kernel (D, L)`, `bias (L,)`."""

    kernel: Tensor
    bias: Tensor


class State(NamedTuple):
    """Where Adam stands: parameters, first and second moments, iterations done (float32)."""

    parameters: Parameters
    first: Parameters
    second: Parameters
    step: Tensor


class Problem(NamedTuple):
    """What stays the same over a fit, all float32.

    `features (V * N, D)` raw, view by view; `targets (N, L)`; `mean`, `scale (D,)`; `pos_weight`,
    `prevalence (L,)`; `l2`, `weight_decay ()`.
    """

    features: Tensor
    targets: Tensor
    mean: Tensor
    scale: Tensor
    pos_weight: Tensor
    prevalence: Tensor
    l2: Tensor
    weight_decay: Tensor


def start(kernel: Tensor, bias: Tensor) -> State:
    """Adam at rest on these initial parameters."""
    parameters = Parameters(tf.constant(kernel), tf.constant(bias))
    zeros = Parameters(*(tf.zeros_like(value) for value in parameters))
    return State(parameters, zeros, zeros, tf.constant(0.0))


@functools.cache
def compiled_epoch(loss: str) -> Callable[..., tuple[State, Tensor]]:
    """`(problem, state, rows, count, rates) -> (state, losses)` for a loss of that name.

    `rows (T, B) int32` indexes `features`; -1 pads. Only the first `count () int32` batches are run, with
    learning rate `rates (T,) float32`. `losses (T,)` are the batches' data losses, without the penalty.
    """

    @tf.function(jit_compile=True, reduce_retracing=False, autograph=False)
    def epoch(problem: Problem, state: State, rows: Tensor, count: Tensor, rates: Tensor) -> Any:
        def body(index: Tensor, state: State, losses: Tensor) -> tuple[Tensor, State, Tensor]:
            value, gradient = _loss_and_gradient(loss, problem, state.parameters, rows[index])
            state = _adam(problem, state, gradient, rates[index])
            return index + 1, state, tf.tensor_scatter_nd_update(losses, [[index]], [value])

        start = (tf.constant(0), state, tf.zeros_like(rates))
        _, state, losses = tf.while_loop(lambda index, *_: index < count, body, start)
        return state, losses

    return epoch  # type: ignore[no-any-return]


@functools.cache
def compiled_loss(loss: str) -> Callable[..., Tensor]:
    """`(problem, parameters, rows, count) -> ()`, the data loss over the first `count` batches."""

    @tf.function(jit_compile=True, reduce_retracing=False, autograph=False)
    def total(problem: Problem, parameters: Parameters, rows: Tensor, count: Tensor) -> Tensor:
        def body(index: Tensor, cells: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            features, targets = _batch(problem, rows[index])
            added = _cells(loss, problem, targets, _logits(parameters, features))
            return index + 1, cells + tf.reduce_sum(added), known + known_cells(targets)

        start = (tf.constant(0), tf.constant(0.0), tf.constant(0.0))
        _, cells, known = tf.while_loop(lambda index, *_: index < count, body, start)
        return tf.math.divide_no_nan(cells, known)

    return total  # type: ignore[no-any-return]


def _batch(problem: Problem, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Scaled features and targets of a batch; zero features and PADDING where `rows` is -1."""
    real = (rows >= 0)[:, None]
    rows = tf.maximum(rows, 0)
    features = (tf.gather(problem.features, rows) - problem.mean) / problem.scale
    targets = tf.gather(problem.targets, rows % tf.shape(problem.targets)[0])
    return tf.where(real, features, 0.0), tf.where(real, targets, PADDING)


def _logits(parameters: Parameters, features: Tensor) -> Tensor:
    return tf.matmul(features, parameters.kernel) + parameters.bias


def _cells(loss: str, problem: Problem, targets: Tensor, logits: Tensor) -> Tensor:
    return LOSSES[loss](targets, logits, problem.pos_weight, problem.prevalence)


def _loss_and_gradient(
    loss: str, problem: Problem, parameters: Parameters, rows: Tensor
) -> tuple[Tensor, Parameters]:
    """Data loss of a batch; gradient of that plus the penalty l2 * sum(kernel ** 2), as Keras has it."""
    features, targets = _batch(problem, rows)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        cells = _cells(loss, problem, targets, _logits(parameters, features))
        value = mean_over_known(cells, targets)
    kernel, bias = tape.gradient(value, parameters)
    return value, Parameters(kernel + 2 * problem.l2 * parameters.kernel, bias)


def _adam(problem: Problem, state: State, gradient: Parameters, rate: Tensor) -> State:
    """Kingma, Ba, "Adam", ICLR 2015, section 2 end (the form with epsilon hat, which is Keras').

    With decoupled decay of the kernel first: Loshchilov, Hutter, "Decoupled Weight Decay", ICLR 2019.
    """
    step = state.step + 1
    size = rate * tf.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
    kernel = state.parameters.kernel * (1 - rate * problem.weight_decay)
    decayed = Parameters(kernel, state.parameters.bias)
    first = Parameters(*(m + (g - m) * (1 - BETA_1) for m, g in zip(state.first, gradient, strict=True)))
    second = Parameters(
        *(v + (g * g - v) * (1 - BETA_2) for v, g in zip(state.second, gradient, strict=True))
    )
    moments = zip(decayed, first, second, strict=True)
    parameters = Parameters(*(w - size * m / (tf.sqrt(v) + EPSILON) for w, m, v in moments))
    return State(parameters, first, second, step)
