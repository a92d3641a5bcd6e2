from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping

import pytest
from rich.console import Console

from aimonk.config_file import load_config
from aimonk.evaluation.comparison import Comparison
from aimonk.evaluation.intervals import Interval
from aimonk.results.sweep_result import SweepResult

from ..sweeping.conftest import make_trial

SETTINGS: Mapping[str, float | str] = {"training.l2": 0.012345, "training.loss": "focal"}
TRIALS = [
    make_trial(0, (0.5, 0.6)),
    make_trial(1, (0.6, 0.7), SETTINGS),
    make_trial(2, (0.1,), pruned=True),
]
GAIN = Comparison((), 0.55, 0.54, Interval(0.01, -0.0021, float("nan")), 100)


@pytest.fixture
def swept() -> SweepResult:
    shares = {"training.l2": 0.9, "training.loss": 0.1}
    config = load_config(None, ["training.l2=0.5"])
    return SweepResult.of("dresses", TRIALS, 2, TRIALS[1], [TRIALS[1], TRIALS[0]], GAIN, shares, config)


def test_programs_get_one_object(swept: SweepResult) -> None:
    answer = swept.to_json()["sweep"]
    assert json.loads(json.dumps(answer, allow_nan=False)) == {
        "name": "dresses",
        "trials": 3,
        "pruned": 1,
        "resumed": 2,
        "best": {"trial": 1, "validation_mAP": pytest.approx(0.65), "settings": SETTINGS},
        "fold_winners": [1, 0],
        "gain": {"value": 0.01, "low": -0.0021, "high": None},
        "importances": {"training.l2": 0.9, "training.loss": 0.1},
    }


def test_people_get_the_settings_that_won_and_what_they_are_good_for(swept: SweepResult) -> None:
    console = Console(width=200, file=io.StringIO())
    with console.capture() as captured:
        console.print(*swept.summary(), sep="\n")
    said = captured.get()
    (row,) = [line.split() for line in said.splitlines() if line.startswith("training.l2")]
    assert row == ["training.l2", "0.5", "0.0123", "90%"]
    assert "Of 3 trials, 1 stopped early, 2 from an earlier call: trial 1 is best" in said
    assert "0.650 on the validation images that chose it" in said
    assert "(trial 1 and trial 0)" in said
    assert "+0.010 mean AP" in said
    assert "there is no evidence that the search paid off" in said


def test_a_gain_whose_interval_is_above_zero_paid_off(swept: SweepResult) -> None:
    above = dataclasses.replace(GAIN, difference=Interval(0.03, 0.01, 0.05))
    paid = dataclasses.replace(swept, gain=above).sentences()[-1]
    assert paid.endswith("differ by +0.030 mean AP [0.010, 0.050]: the search paid off.")
    assert len(dataclasses.replace(swept, gain=None).sentences()) == 2
