from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aimonk.training.backend import keras, tf
from aimonk.training.finetuning.gradients import gradients


@dataclass(frozen=True)
class TracedStep:
    """What a model computes in training, its gradients, and the kinds of operation it takes."""

    values: np.ndarray
    slopes: list[np.ndarray]
    operations: list[str]


def traced_step(model: keras.Model, images: tf.Tensor) -> TracedStep:
    """Trace a training step anew, as the model's layers compute at the moment."""

    @tf.function
    def step(pixels: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        values = model(pixels, training=True)
        return values, gradients(tf.reduce_sum(tf.sin(values)), model.trainable_variables)

    operations = [node.type for node in step.get_concrete_function(images).graph.get_operations()]
    values, slopes = step(images)
    return TracedStep(values.numpy(), [slope.numpy() for slope in slopes], operations)
