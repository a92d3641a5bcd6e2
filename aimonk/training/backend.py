"""TensorFlow and Keras, imported without their start-up messages, for the modules that fine-tune."""

from __future__ import annotations

from ..backbones.build import import_keras

import_keras()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

__all__ = ["keras", "tf"]
