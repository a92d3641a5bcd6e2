from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest

from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.data.demo.draw_demo import draw_demo
from aimonk.data.split import make_split
from aimonk.evaluation.calibration import Calibration
from aimonk.training.finetuning.finetune_learner import Finetuning
from aimonk.training.history import History
from aimonk.training.open_learner import open_learner

pytestmark = pytest.mark.slow


def opened(store: Path, data: Dataset, *more: str) -> tuple[Finetuning, Config]:
    config = load_config(
        None,
        [
            *("features.backbone=mobilenet@0.25", "features.weights=none", "features.resolution=0.43"),
            *(f"features.store={store}", "training.mode=finetune", "training.epochs=2"),
            *("finetune.epochs=2", "finetune.batch_size=8", "finetune.augment=[]", *more),
        ],
    )
    learner = open_learner(config)
    assert isinstance(learner, Finetuning)
    learner.prepare(data)
    return learner, config


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("demo")
    draw_demo(folder, images=80)
    return read_dataset(folder, None, Config(), folder / "store")


class Losses:
    """An observer."""

    def __init__(self) -> None:
        self.steps: list[int] = []

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        self.steps += range(first_step, first_step + len(losses))

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        pass


def test_it_is_trained_on_smaller_images_than_it_answers_for(data: Dataset, tmp_path: Path) -> None:
    settings = ("finetune.resolution=0.3", "finetune.dropout=0.2")
    learner, config = opened(tmp_path, data, *settings)
    plan = make_split(data.targets, data.groups, None, config.split, data.names)
    trained_on: list[Any] = []
    pixels = learner.pixels
    learner.pixels = lambda size: trained_on.append(size) or pixels(size)  # type: ignore[func-returns-value, method-assign]
    told = Losses()
    fitted = learner.fit(plan, told)
    assert trained_on == [(64, 64)]
    assert fitted.model.input_shape == (None, 96, 96, 3)
    assert 1 <= fitted.epochs <= 2
    assert told.steps == list(range(1, len(fitted.history.iteration_losses) + 1))
    # the graph that ships says what the Keras model says
    logits = fitted.logits(plan.test)
    assert trained_on[-1] == (96, 96)
    images = pixels((96, 96))[plan.test]
    np.testing.assert_allclose(logits, fitted.model.predict_on_batch(images), rtol=1e-3, atol=1e-3)
    count = len(data.attributes)
    doubled = Calibration(np.full(count, 2.0), np.full(count, 0.5))
    first, second = fitted.export(doubled), fitted.export(doubled)
    assert first.graph.inputs[0].partial_shape.to_string() == "[?,96,96,3]"
    core = openvino.Core()
    for exported in (first, second):  # the second export is calibrated once, like the first
        served = core.compile_model(exported.graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(images)[0]
        np.testing.assert_allclose(served, 2 * logits + 0.5, rtol=1e-3, atol=2e-3)


def test_a_refit_takes_the_epochs_of_the_second_phase(data: Dataset, tmp_path: Path) -> None:
    learner, _ = opened(tmp_path, data)
    fitted = learner.refit(1)
    assert fitted.epochs == 1
    assert len(fitted.history.epoch_steps) == 2 + 1
    assert isinstance(fitted.history, History)
