"""What moves the weights in fine-tuning, and the weights as plain arrays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...config import FinetuneConfig
from ..backend import keras

NOT_DECAYED = ["bias", "gamma", "beta"]
"""Parts of the names of variables that weight decay spares: biases, and the scales of normalization."""


def make_optimizer(
    variables: list[keras.Variable], config: FinetuneConfig, steps: int
) -> keras.optimizers.Optimizer:
    """AdamW for `steps` iterations per epoch; the rate rises from 0 for the warm-up, then falls as a cosine.

    Loshchilov, Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
    """
    warmup = min(round(config.warmup_epochs * steps), steps * config.epochs)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else config.learning_rate,
        decay_steps=max(steps * config.epochs - warmup, 1),
        warmup_target=config.learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    averaging: dict[str, Any] = {"use_ema": True, "ema_momentum": config.average} if config.average else {}
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, **averaging)
    optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    optimizer.build(variables)
    return optimizer


@contextlib.contextmanager
def averaged(
    variables: list[keras.Variable], optimizer: keras.optimizers.Optimizer, decay: float
) -> Iterator[None]:
    """Meanwhile `variables` hold their moving average, if `decay` says that the optimizer keeps one."""
    if not decay:
        yield
        return
    raw = values_of(variables)
    optimizer.finalize_variable_values(variables)
    try:
        yield
    finally:
        assign(variables, raw)


def values_of(variables: list[keras.Variable]) -> tuple[np.ndarray, ...]:
    """Copies of the values."""
    return tuple(variable.numpy() for variable in variables)


def assign(variables: list[keras.Variable], values: Sequence[np.ndarray]) -> None:
    """Set each variable to its value."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
