from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from aimonk.backbones.build import build_backbone
from aimonk.backbones.linear_head import LinearHead
from aimonk.backbones.pooling import Readout
from aimonk.backbones.zoo import parse_backbone
from aimonk.config import FinetuneConfig, TrainingConfig
from aimonk.errors import ModelError
from aimonk.training.backend import keras
from aimonk.training.class_weights import pos_weights, prevalences
from aimonk.training.finetuning.fit_network import finetune
from aimonk.training.finetuning.network import leaf_layers, model_from_head
from aimonk.training.linear_probe.batches import batches
from aimonk.training.losses import batch_loss

from ..linear_probe.test_fit_probe import Notes
from .test_network import backbone

TRAINING = TrainingConfig(pos_weight_power=1.0)
CONFIG = FinetuneConfig(epochs=3, batch_size=8, learning_rate=0.01, augment=())
TRAIN, VALIDATION, NONE = np.arange(20), np.arange(20, 32), np.arange(0)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (32, 8, 8, 3)).astype(np.uint8)


@pytest.fixture
def targets(images: np.ndarray) -> np.ndarray:
    """Whether red is brighter than usual; a row in eight is NA."""
    red = images[..., 0].mean(axis=(1, 2))
    values = np.stack([red > np.median(red), red < np.median(red)], 1).astype(np.float32)
    values[::8] = -1
    return values


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    return model_from_head(backbone(), LinearHead(np.ones((3, 2), np.float32), np.zeros(2, np.float32)))


def weights(model: keras.Model) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.variables]


def test_it_is_the_training_of_keras(model: keras.Model, images: np.ndarray, targets: np.ndarray) -> None:
    """Losses of every iteration, the short last batch too, and the weights in the end."""
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    frozen = twin.get_layer("inner").get_layer("norm")
    frozen.trainable = False
    rule = keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(0.01, 9), weight_decay=0.1)
    rule.exclude_from_weight_decay(var_names=["bias"])
    loss = batch_loss("weighted_bce")
    balance = pos_weights(targets[TRAIN]), prevalences(targets[TRAIN])
    twin.compile(rule, lambda y, x: loss(y, x, *balance))
    expected = []
    for epoch in (1, 2, 3):
        for rows in batches(TRAIN, 8, TRAINING.seed, epoch):
            expected.append(twin.train_on_batch(images[rows], targets[rows]))
            twin.reset_metrics()
    config = dataclasses.replace(CONFIG, weight_decay=0.1, warmup_epochs=0.0)
    history = finetune(model, images, targets, TRAIN, NONE, TRAINING, config)
    np.testing.assert_allclose(history.iteration_losses, expected, rtol=1e-4)
    assert history.epoch_steps == (3, 6, 9)
    assert (history.best_epoch, history.validation_losses) == (3, ())
    for one, other in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_warm_up_starts_at_nothing(model: keras.Model, images: np.ndarray, targets: np.ndarray) -> None:
    """The first iteration has the rate 0, so the first two losses on the same images are one."""
    before = model.predict_on_batch(images[:8])
    rates = []
    config = dataclasses.replace(CONFIG, batch_size=20, epochs=2, warmup_epochs=1.0)
    history = finetune(
        model, images, targets, TRAIN, NONE, TRAINING, config,
        progress=lambda done, total: rates.append(np.abs(model.predict_on_batch(images[:8]) - before).max()),
    )  # fmt: skip
    assert rates[0] == 0.0 < rates[1]
    first, second = history.iteration_losses
    np.testing.assert_allclose(first, second, rtol=1e-5)


def test_batch_normalization_stays_as_it_was(
    model: keras.Model, images: np.ndarray, targets: np.ndarray
) -> None:
    norm = model.get_layer("inner").get_layer("norm")
    before = norm.get_weights()
    kernel = model.get_layer("inner").get_layer("one").get_weights()[0]
    finetune(model, images, targets, TRAIN, NONE, TRAINING, CONFIG)
    for one, other in zip(before, norm.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(model.get_layer("inner").get_layer("one").get_weights()[0] - kernel).max() > 1e-3


def test_best_weights_are_restored(model: keras.Model, images: np.ndarray, targets: np.ndarray) -> None:
    """Validation labels are those of training turned around: the better it learns, the worse the score."""
    targets[20:] = np.where(targets[20:] < 0, -1, 1 - targets[20:])
    kept = {}

    class Keeping(Notes):
        def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
            kept[epoch] = model.get_weights()
            super().epoch(epoch, step, validation_loss)

    config = dataclasses.replace(CONFIG, epochs=6, learning_rate=0.05)
    history = finetune(model, images, targets, TRAIN, VALIDATION, TRAINING, config, Keeping())
    assert len(history.validation_losses) == 6
    assert history.best_epoch < 6
    for one, other in zip(model.get_weights(), kept[history.best_epoch], strict=True):
        np.testing.assert_array_equal(one, other)
    loss = batch_loss("weighted_bce")(
        targets[VALIDATION],
        model.predict_on_batch(images[VALIDATION]),
        pos_weights(targets[TRAIN]),
        prevalences(targets[TRAIN]),
    )
    np.testing.assert_allclose(history.validation_losses[history.best_epoch - 1], loss, rtol=1e-5)


@pytest.mark.slow
def test_the_same_training_gives_the_same_network(shared: Path) -> None:
    """Bit for bit: with maps that are read in three places, dropout, and every augmentation."""
    file = shared / "weights" / "mobilenet_2_5_224_tf_no_top.h5"
    how = Readout(288, 288, "pyramid", colors=2)
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (72, 288, 288, 3), dtype=np.uint8)
    targets = generator.integers(-1, 2, (72, 3)).astype(np.float32)
    config = FinetuneConfig(epochs=3, batch_size=32, dropout=0.5)
    found = []
    for _ in range(2):
        network, _ = build_backbone(parse_backbone("mobilenet@0.25"), str(file), how)
        head = LinearHead(np.zeros((network.output.shape[1], 3), np.float32), np.zeros(3, np.float32))
        model = model_from_head(network, head, dropout=config.dropout)
        history = finetune(model, images, targets, np.arange(64), np.arange(64, 72), TRAINING, config)
        found.append((history.iteration_losses, *model.get_weights()))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_average_is_that_of_the_weights_after_each_iteration(
    model: keras.Model, images: np.ndarray, targets: np.ndarray
) -> None:
    path = []
    config = dataclasses.replace(CONFIG, epochs=2, average=0.5, warmup_epochs=0.0)
    finetune(
        model, images, targets, TRAIN, NONE, TRAINING, config,
        progress=lambda *_: path.append([v.numpy() for v in model.trainable_variables]),
    )  # fmt: skip
    average = path[0]
    for step in path[1:]:
        average = [0.5 * one + 0.5 * other for one, other in zip(average, step, strict=True)]
    for one, other in zip(model.trainable_variables, average, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-5, atol=1e-6)
    assert np.abs(path[-1][0] - average[0]).max() > 1e-4


def test_mixed_precision_is_close_and_put_back(
    model: keras.Model, images: np.ndarray, targets: np.ndarray
) -> None:
    start = model.get_weights()
    exact = finetune(model, images, targets, TRAIN, NONE, TRAINING, CONFIG)
    model.set_weights(start)
    config = dataclasses.replace(CONFIG, mixed_precision=True)
    mixed = finetune(model, images, targets, TRAIN, NONE, TRAINING, config)
    np.testing.assert_allclose(mixed.iteration_losses, exact.iteration_losses, rtol=0.05)
    assert (mixed.iteration_losses != exact.iteration_losses).any()
    assert {layer.compute_dtype for layer in leaf_layers(model) if layer.weights} == {"float32"}


def test_killed_and_resumed_is_never_killed(
    model: keras.Model, images: np.ndarray, targets: np.ndarray, tmp_path: Path
) -> None:
    """Bit for bit: losses, weights, and what the observer has, each iteration once."""
    config = dataclasses.replace(CONFIG, epochs=4, augment=("flip", "color"), average=0.9)
    start = model.get_weights()
    whole = Notes()
    expected = finetune(model, images, targets, TRAIN, VALIDATION, TRAINING, config, whole)
    final = weights(model)

    class Killed(Notes):
        def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
            if epoch == 3:
                raise KeyboardInterrupt
            super().epoch(epoch, step, validation_loss)

    model.set_weights(start)
    killed, resumed = Killed(), Notes()
    with pytest.raises(KeyboardInterrupt):
        finetune(model, images, targets, TRAIN, VALIDATION, TRAINING, config, killed, tmp_path)
    keras.utils.set_random_seed(77)
    model.set_weights([0 * weight for weight in start])
    got = finetune(model, images, targets, TRAIN, VALIDATION, TRAINING, config, resumed, tmp_path)
    np.testing.assert_array_equal(got.iteration_losses, expected.iteration_losses)
    assert got.validation_losses == expected.validation_losses
    assert (got.epoch_steps, got.best_epoch) == (expected.epoch_steps, expected.best_epoch)
    for one, other in zip(weights(model), final, strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.told == whole.told
    assert killed.told == whole.told[:5]


def test_resuming_a_finished_training_trains_no_more(
    model: keras.Model, images: np.ndarray, targets: np.ndarray, tmp_path: Path
) -> None:
    done: list[int] = []
    arguments = (model, images, targets, TRAIN, VALIDATION, TRAINING, CONFIG)
    first = finetune(*arguments, None, tmp_path)
    final = weights(model)
    again = finetune(*arguments, None, tmp_path, progress=lambda step, total: done.append(step))
    assert done == []
    assert (again.best_epoch, again.validation_losses) == (first.best_epoch, first.validation_losses)
    for one, other in zip(weights(model), final, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_of_other_settings_is_refused(
    model: keras.Model, images: np.ndarray, targets: np.ndarray, tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, epochs=1)
    finetune(model, images, targets, TRAIN, NONE, TRAINING, config, None, tmp_path)
    for other in (CONFIG, dataclasses.replace(config, learning_rate=0.02)):
        with pytest.raises(ModelError, match="other settings or data"):
            finetune(model, images, targets, TRAIN, NONE, TRAINING, other, None, tmp_path)
    with pytest.raises(ModelError, match="other settings or data"):
        finetune(model, images, 1 - targets, TRAIN, NONE, TRAINING, config, None, tmp_path)
