from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aimonk.backbones.color_histogram import palette
from aimonk.backbones.linear_head import LinearHead
from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.data.dataset import Dataset, read_dataset
from aimonk.data.demo.draw_demo import draw_demo
from aimonk.data.split import make_split
from aimonk.training.history import History
from aimonk.training.linear_probe.probe_learner import FittedProbe, LinearProbe
from aimonk.training.open_learner import open_learner
from tests.conftest import ROOT

SETTINGS = ("features.backbone=mobilenet@0.25", "features.weights=none", "features.resolution=0.43")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    draw_demo(folder, images=60)
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> Dataset:
    return read_dataset(folder, None, Config(), folder / "store")


def prepared(data: Dataset, store: Path, *more: str) -> tuple[LinearProbe, Config]:
    config = load_config(None, [*SETTINGS, f"features.store={store}", *more])
    learner = open_learner(config)
    assert isinstance(learner, LinearProbe)
    learner.prepare(data)
    return learner, config


def test_a_fitted_head_scores_the_plain_view_of_each_image(data: Dataset, folder: Path) -> None:
    learner, config = prepared(data, folder / "store", 'features.views=["flip", "plain"]')
    assert learner.vectors.views == 2
    plan = make_split(data.targets, data.groups, None, config.split, data.names)
    fitted = learner.fit(plan)
    assert 1 <= fitted.epochs <= config.training.epochs
    rows = np.concatenate([plan.test[::-1], plan.train[:5]])
    np.testing.assert_allclose(
        fitted.logits(rows), fitted.head.logits(learner.vectors.take(rows)), rtol=1e-4, atol=1e-4
    )
    other, _ = prepared(data, folder / "store")
    np.testing.assert_array_equal(other.vectors.take(rows), learner.vectors.take(rows))
    assert (learner.vectors.take(rows, view=1) != learner.vectors.take(rows)).any()
    assert (other.forward_passes, other.key) == (0, learner.key)


def test_logits_by_hand(data: Dataset, folder: Path) -> None:
    learner, _ = prepared(data, folder / "store")
    head = LinearHead(np.zeros((learner.vectors.width, 2), np.float32), np.array([1.0, -2.0], np.float32))
    history = History(np.zeros(1, np.float32), (1,), (), 1)
    fitted = FittedProbe(head, history, np.ones(2, np.float32), learner)
    np.testing.assert_array_equal(fitted.logits(np.array([3, 3, 0])), [[1, -2]] * 3)
    assert fitted.logits(np.arange(0)).shape == (0, 2)


def test_colors_have_their_share_whatever_the_backbone(data: Dataset, folder: Path) -> None:
    learner, config = prepared(data, folder / "store")
    colors, weights = len(palette()), learner.weights()
    assert weights is not None and weights.shape == (learner.vectors.width,)
    assert (weights[-colors:] ** 2).sum() / (weights**2).sum() == pytest.approx(0.125)
    alike = dataclasses.replace(config, training=dataclasses.replace(config.training, color_share=0.0))
    assert learner.reconfigured(alike).weights() is None
    weighed, plain = (one.refit(1).head.kernel for one in (learner, learner.reconfigured(alike)))
    # The first step of Adam moves the weight of every scaled feature by the rate, and so that of a raw one
    # by as many times the rate as the feature weighs.
    used = (plain != 0) & (weighed != 0)
    ratios = np.divide(weighed, plain, out=np.full_like(plain, np.nan), where=used)
    assert np.nanmedian(ratios[:-colors]) == pytest.approx(1, rel=1e-3)
    assert np.nanmedian(ratios[-colors:]) == pytest.approx(weights[-1], rel=1e-3)


def test_a_refit_takes_every_image_for_so_many_epochs(data: Dataset, folder: Path) -> None:
    learner, _ = prepared(data, folder / "store")
    fitted = learner.refit(7)
    assert (fitted.epochs, len(fitted.history.epoch_steps)) == (7, 7)


@pytest.mark.slow
def test_a_training_on_stored_features_imports_neither_tensorflow_nor_scipy_stats(
    folder: Path, tmp_path: Path
) -> None:
    arguments = ["train", "--data", str(folder), "--set", f"features.store={tmp_path / 'features'}", "--json"]
    for setting in (
        *SETTINGS,
        "evaluation.folds=2",
        "evaluation.resamples=100",
        "evaluation.permutations=100",
    ):
        arguments += ["--set", setting]
    code = (
        "import sys\n"
        "from aimonk.cli import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(sorted({'tensorflow', 'scipy.stats'} & set(sys.modules)), file=sys.stderr)\n"
    )
    for stored in (False, True):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
        )
        assert done.returncode == 0, done.stderr
        imported = done.stderr.splitlines()[-1]
        # Importing scipy.stats takes half a second, a tenth of such a training.
        assert imported == "[]" if stored else "'tensorflow'" in imported
