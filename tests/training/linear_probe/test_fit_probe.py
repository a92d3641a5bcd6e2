from __future__ import annotations

import dataclasses
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from aimonk.backbones.linear_head import LinearHead
from aimonk.config import TrainingConfig
from aimonk.features.image_vectors import ImageVectors
from aimonk.training.backend import keras
from aimonk.training.class_weights import pos_weights, prevalences
from aimonk.training.history import History
from aimonk.training.linear_probe.batches import batches
from aimonk.training.linear_probe.fit_probe import fit_probe
from aimonk.training.losses import batch_loss
from tests.conftest import ROOT

NOTEBOOK = TrainingConfig(
    pos_weight_power=1.0,
    epochs=5,
    batch_size=32,
    learning_rate=1e-4,
    schedule="constant",
    weight_decay=0.0,
    l2=0.0,
    initial_weights="glorot",
    scale_features=False,
    patience=0,
)
NONE = np.arange(0)


def data(rows: int = 100, width: int = 16, attributes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Features that tell the attributes, with noise, and a tenth of the labels NA."""
    random = np.random.default_rng(0)
    features = random.normal(size=(rows, width)).astype(np.float32)
    truth = features[:, :attributes] + random.normal(size=(rows, attributes)) > 0.7
    targets = np.where(random.random((rows, attributes)) < 0.1, -1, truth).astype(np.float32)
    return features, targets


def fit_head(views: np.ndarray, *arguments: Any) -> tuple[LinearHead, History]:
    """Of vectors in memory."""
    return fit_probe(ImageVectors.of(views), *arguments)


class Notes:
    """An observer that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        self.told.append(("iterations", first_step, losses.tolist()))

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        self.told.append(("epoch", epoch, step, validation_loss))


def keras_fit(
    features: np.ndarray, targets: np.ndarray, train: np.ndarray, config: TrainingConfig
) -> tuple[np.ndarray, np.ndarray]:
    """The same training by a compiled Keras model with Keras' own Adam, batch by batch in the same order."""
    weights = pos_weights(targets[train], config.pos_weight_power), prevalences(targets[train])
    loss = batch_loss(config.loss)
    dense = keras.layers.Dense(
        targets.shape[1],
        kernel_initializer=keras.initializers.GlorotUniform(seed=config.seed),
        kernel_regularizer=keras.regularizers.L2(config.l2 * features.shape[1] / (targets[train] >= 0).sum())
        if config.l2
        else None,
    )
    model = keras.Sequential([keras.Input((features.shape[1],)), dense])
    rule = keras.optimizers.AdamW(config.learning_rate, weight_decay=config.weight_decay)
    rule.exclude_from_weight_decay(var_names=["bias"])
    model.compile(rule, loss=lambda y, x: loss(y, x, *weights))
    losses = []
    for epoch in range(1, config.epochs + 1):
        for rows in batches(train, config.batch_size, config.seed, epoch):
            losses.append(model.train_on_batch(features[rows], targets[rows]))
            model.reset_metrics()
    return np.array(losses), model.predict_on_batch(features)


def test_the_notebooks_recipe_is_that_of_keras() -> None:
    features, targets = data(rows=73)
    train = np.arange(73)[::-1].copy()
    head, history = fit_head(features, targets, train, NONE, NOTEBOOK)
    losses, logits = keras_fit(features, targets, train, NOTEBOOK)
    assert len(history.iteration_losses) == 15
    assert history.epoch_steps == (3, 6, 9, 12, 15)
    assert (history.validation_losses, history.best_epoch) == ((), 5)
    np.testing.assert_allclose(history.iteration_losses, losses, atol=1e-5)
    np.testing.assert_allclose(head.logits(features), logits, atol=1e-5)


def test_penalty_and_decay_are_those_of_keras() -> None:
    """At a rate where they tell: both change the logits by more than a tenth here."""
    features, targets = data(rows=48)
    config = dataclasses.replace(NOTEBOOK, learning_rate=0.05, l2=0.9, weight_decay=0.5, loss="focal")
    head, _ = fit_head(features, targets, np.arange(48), NONE, config)
    _, logits = keras_fit(features, targets, np.arange(48), config)
    np.testing.assert_allclose(head.logits(features), logits, atol=1e-4)
    for without in (dataclasses.replace(config, l2=0.0), dataclasses.replace(config, weight_decay=0.0)):
        other, _ = fit_head(features, targets, np.arange(48), NONE, without)
        assert np.abs(other.logits(features) - logits).max() > 0.1


def test_first_loss_by_hand() -> None:
    """One batch of zero features has the logit 0: both positive (weight 1) and negative cost log 2."""
    features = np.zeros((4, 2), np.float32)
    targets = np.array([[1], [0], [-1], [-1]], np.float32)
    _, history = fit_head(features, targets, np.arange(4), NONE, NOTEBOOK)
    np.testing.assert_allclose(history.iteration_losses[0], np.log(2), rtol=1e-6)


def test_same_seed_same_bits_another_seed_others() -> None:
    features, targets = data()
    config = TrainingConfig(epochs=4, batch_size=32)
    runs = [fit_head(features, targets, np.arange(80), np.arange(80, 100), config) for _ in range(2)]
    np.testing.assert_array_equal(runs[0][1].iteration_losses, runs[1][1].iteration_losses)
    np.testing.assert_array_equal(runs[0][0].kernel, runs[1][0].kernel)
    _, other = fit_head(
        features, targets, np.arange(80), np.arange(80, 100), dataclasses.replace(config, seed=7)
    )
    assert (other.iteration_losses != runs[0][1].iteration_losses).any()


def test_fits_in_threads_do_not_disturb_each_other() -> None:
    features, targets = data()
    rates = [1e-3, 3e-3, 1e-2, 3e-2]

    def fit(rate: float) -> np.ndarray:
        config = TrainingConfig(epochs=3, learning_rate=rate)
        return fit_head(features, targets, np.arange(80), np.arange(80, 100), config)[0].kernel

    alone = [fit(rate) for rate in rates]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(alone, pool.map(fit, rates), strict=True):
            np.testing.assert_array_equal(one, other)


def test_validation_rows_are_never_trained_on() -> None:
    features, targets = data()
    spoilt = features.copy()
    spoilt[80:] = 1e3
    flipped = targets.copy()
    flipped[80:] = 1 - np.abs(flipped[80:])
    config = TrainingConfig(epochs=3, patience=0)
    head, _ = fit_head(features, targets, np.arange(80), np.arange(80, 100), config)
    other, _ = fit_head(spoilt, flipped, np.arange(80), np.arange(80, 100), config)
    np.testing.assert_array_equal(head.kernel, other.kernel)


def test_validation_loss_is_that_of_the_returned_head() -> None:
    """Also beyond one validation batch of 256 rows."""
    features, targets = data(rows=700)
    train, validation = np.arange(100), np.arange(100, 700)
    config = TrainingConfig(epochs=5, pos_weight_power=1.0)
    head, history = fit_head(features, targets, train, validation, config)
    weights = pos_weights(targets[train]), prevalences(targets[train])
    expected = batch_loss("weighted_bce")(targets[validation], head.logits(features[validation]), *weights)
    assert len(history.validation_losses) == 5
    np.testing.assert_allclose(history.validation_losses[history.best_epoch - 1], expected, rtol=1e-5)


def test_early_stopping_keeps_the_best_epoch() -> None:
    """Labels of the validation rows contradict those of training: the first epoch is the best."""
    features, targets = data(attributes=1)
    targets[80:] = 1 - np.abs(targets[80:])
    config = TrainingConfig(epochs=20, patience=3, learning_rate=0.05)
    notes = Notes()
    head, history = fit_head(features, targets, np.arange(80), np.arange(80, 100), config, notes)
    best = int(np.argmin(history.validation_losses)) + 1
    assert history.best_epoch == best
    assert len(history.epoch_steps) == best + 3 < 20
    short, _ = fit_head(
        features,
        targets,
        np.arange(80),
        NONE,
        dataclasses.replace(config, epochs=best, patience=0, schedule="constant"),
    )
    constant, again = fit_head(
        features,
        targets,
        np.arange(80),
        np.arange(80, 100),
        dataclasses.replace(config, schedule="constant"),
    )
    assert again.best_epoch == best
    np.testing.assert_array_equal(constant.kernel, short.kernel)


def test_a_training_that_diverges_at_once_keeps_its_first_weights() -> None:
    """Weights beyond float32 after one iteration: what is no number is never better."""
    features, targets = data()
    config = TrainingConfig(epochs=9, patience=2, learning_rate=3e38, schedule="constant", batch_size=80)
    head, history = fit_head(features, targets, np.arange(80), np.arange(80, 100), config)
    assert not np.isfinite(history.validation_losses).any()
    assert (history.best_epoch, len(history.epoch_steps)) == (0, 2)
    assert np.isfinite(head.kernel).all()


def test_observer_is_told_each_epoch_in_order() -> None:
    features, targets = data()
    notes = Notes()
    config = TrainingConfig(epochs=2, batch_size=32)
    _, history = fit_head(features, targets, np.arange(80), np.arange(80, 100), config, notes)
    losses = history.iteration_losses.tolist()
    first, second = history.validation_losses
    assert notes.told == [
        ("iterations", 1, losses[:3]),
        ("epoch", 1, 3, first),
        ("iterations", 4, losses[3:]),
        ("epoch", 2, 6, second),
    ]


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_what_the_observer_raises_ends_the_fit(stop: type[BaseException]) -> None:
    class Stopping(Notes):
        def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
            if epoch == 2:
                raise stop

    features, targets = data()
    notes = Stopping()
    with pytest.raises(stop):
        fit_head(features, targets, np.arange(80), NONE, TrainingConfig(epochs=9), notes)
    assert len(notes.told) == 2


def test_scaling_is_folded_into_the_head() -> None:
    """Features in other units, and one that never changes, give the same predictions."""
    features, targets = data()
    features[:, 5] = 0.25
    config = TrainingConfig(epochs=5, scale_features=True)
    head, history = fit_head(features, targets, np.arange(80), NONE, config)
    odd = features * 100 + 7
    other, same = fit_head(odd.astype(np.float32), targets, np.arange(80), NONE, config)
    np.testing.assert_allclose(history.iteration_losses, same.iteration_losses, atol=1e-4)
    np.testing.assert_allclose(head.logits(features), other.logits(odd), atol=1e-3)
    assert head.kernel.dtype == head.bias.dtype == np.float32


def test_views_are_drawn_in_training_and_view_0_is_validated() -> None:
    features, targets = data()
    views = np.stack([features, features + 5])
    config = TrainingConfig(epochs=3, batch_size=32, patience=0, scale_features=False, pos_weight_power=1.0)
    train, validation = np.arange(80), np.arange(80, 100)
    head, history = fit_head(views, targets, train, validation, config)
    alone, plain = fit_head(features, targets, train, validation, config)
    twice, same = fit_head(np.stack([features, features]), targets, train, validation, config)
    np.testing.assert_array_equal(twice.kernel, alone.kernel)
    assert same.validation_losses == plain.validation_losses
    assert (history.iteration_losses != plain.iteration_losses).any()
    weights = pos_weights(targets[train]), prevalences(targets[train])
    expected = batch_loss("weighted_bce")(targets[validation], head.logits(features[validation]), *weights)
    np.testing.assert_allclose(history.validation_losses[-1], expected, rtol=1e-5)


def test_an_iteration_takes_all_images_by_default() -> None:
    features, targets = data()
    config = TrainingConfig(epochs=7)
    _, history = fit_head(features, targets, np.arange(80), NONE, config)
    assert history.epoch_steps == (1, 2, 3, 4, 5, 6, 7)
    weights = pos_weights(targets[:80], config.pos_weight_power), prevalences(targets[:80])
    first = batch_loss("weighted_bce")(targets[:80], np.zeros((80, 3), np.float32), *weights)
    np.testing.assert_allclose(history.iteration_losses[0], first, rtol=1e-6)
    whole = dataclasses.replace(config, batch_size=80)
    np.testing.assert_array_equal(
        fit_head(features, targets, np.arange(80), NONE, whole)[1].iteration_losses, history.iteration_losses
    )


def test_the_head_learns_what_the_features_tell() -> None:
    """Each attribute is a feature plus noise: its own feature has by far the largest weight."""
    features, targets = data(rows=400)
    head, _ = fit_head(features, targets, np.arange(400), NONE, TrainingConfig())
    strength = np.abs(head.kernel)
    assert strength.argmax(axis=0).tolist() == [0, 1, 2]
    assert (np.sort(strength, axis=0)[-1] > 3 * np.sort(strength, axis=0)[-2]).all()


def test_one_penalty_fits_any_number_of_images_attributes_and_features() -> None:
    """Twice the same images, attributes or features leave the probabilities where they were."""
    features, targets = data()
    config = TrainingConfig(epochs=400, l2=0.2, schedule="constant")

    def logits(features: np.ndarray, targets: np.ndarray) -> np.ndarray:
        rows = np.arange(len(targets))
        return fit_head(features, targets, rows, NONE, config)[0].logits(features)[:100, :3]

    alone = logits(features, targets)
    np.testing.assert_allclose(logits(features, np.tile(targets, (1, 2))), alone, atol=0.02)
    np.testing.assert_allclose(logits(np.tile(features, (1, 2)), targets), alone, atol=0.02)


def test_tensorflow_is_not_imported() -> None:
    code = (
        "import sys, numpy as np\n"
        "from aimonk.config import TrainingConfig\n"
        "from aimonk.training.linear_probe import probe_learner\n"
        "from aimonk.training.linear_probe.fit_probe import fit_probe\n"
        "from aimonk.features.image_vectors import ImageVectors\n"
        "vectors = ImageVectors.of(np.eye(4, dtype=np.float32))\n"
        "fit_probe(vectors, np.eye(4, dtype=np.float32), np.arange(4), np.arange(2), TrainingConfig())\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'pandas', 'mlflow', 'torch', 'scipy.optimize'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, cwd=ROOT)
