"""Fine-tuning a network from a file, through the learner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.data.dataset import read_dataset
from aimonk.data.demo.draw_demo import draw_demo
from aimonk.data.split import make_split
from aimonk.errors import BackboneError
from aimonk.training.backend import keras
from aimonk.training.finetuning.network import leaf_layers
from aimonk.training.open_learner import open_learner

LAYERS = ("first", "second", "third")


@pytest.mark.slow
def test_a_network_from_a_keras_file_is_fine_tuned_from_a_named_layer_on(tmp_path: Path) -> None:
    draw_demo(tmp_path / "demo", images=80)
    data = read_dataset(tmp_path / "demo", None, Config(), tmp_path / "index")
    network = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Rescaling(1 / 127.5, -1)])
    for name in LAYERS:
        network.add(keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu", name=name))
    network.save(tmp_path / "network.keras")
    assignments = [
        *(f"features.backbone={tmp_path / 'network.keras'}", "features.image_size=96"),
        *("features.resolution=1.0", "training.mode=finetune", "training.epochs=2", "finetune.epochs=1"),
        *("finetune.resolution=0.67", "finetune.last_layers=second", f"features.store={tmp_path / 'store'}"),
    ]
    config = load_config(None, assignments)
    learner = open_learner(config)
    learner.prepare(data)
    plan = make_split(data.targets, data.groups, None, config.split, data.names)
    fitted = learner.fit(plan)
    assert fitted.model.input_shape == (None, 96, 96, 3)  # type: ignore[attr-defined]
    trained = {layer.name: layer.get_weights()[0] for layer in leaf_layers(fitted.model) if layer.weights}  # type: ignore[attr-defined]
    before = {name: network.get_layer(name).get_weights()[0] for name in LAYERS}
    moved = [name for name in LAYERS if not np.array_equal(trained[name], before[name])]
    assert moved == ["second", "third"]


def test_an_onnx_network_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    (tmp_path / "preprocessor_config.json").write_text('{"size": 32, "do_normalize": false}')
    settings = [f"features.backbone={tmp_path / 'model.onnx'}", "features.resolution=1.0"]
    with pytest.raises(BackboneError, match="there is no Keras model to fine-tune or to save: set training"):
        open_learner(load_config(None, [*settings, "training.mode=finetune"]))
