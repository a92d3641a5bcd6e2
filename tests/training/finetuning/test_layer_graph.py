from __future__ import annotations

import pytest

pytest.importorskip("tensorflow")

from aimonk.training.backend import keras
from aimonk.training.finetuning.layer_graph import calls, functional_models, maker, tensors_read


def test_what_reads_and_makes_a_tensor() -> None:
    image = keras.Input((4, 4, 3))
    twice = keras.layers.Conv2D(3, 1, name="twice")
    once = twice(image)
    again = twice(once)
    total = keras.layers.Add(name="total")([once, again])
    model = keras.Model(image, total)
    assert [calls(model.get_layer(name)) for name in ("twice", "total")] == [2, 1]
    assert [tensor is image for tensor in tensors_read(twice)] == [True, False]
    assert [id(tensor) for tensor in tensors_read(model.get_layer("total"))] == [id(once), id(again)]
    assert maker(again) is twice and maker(total) is model.get_layer("total")


def test_models_inside_models_are_found_but_not_inside_a_sequence() -> None:
    image = keras.Input((4, 4, 3))
    inner = keras.Model(image, keras.layers.Conv2D(2, 1)(image), name="inner")
    sequence = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.ReLU()], name="sequence")
    outer = keras.Model(image, sequence(inner(image)), name="outer")
    assert [model.name for model in functional_models(outer)] == ["outer", "inner"]
