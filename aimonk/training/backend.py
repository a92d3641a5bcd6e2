"""TensorFlow and Keras, imported without their chatter, for the modules of this package."""

from __future__ import annotations

from ..backbones.build import import_keras

import_keras()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

__all__ = ["keras", "tf"]
