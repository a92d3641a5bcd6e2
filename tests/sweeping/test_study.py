from __future__ import annotations

import math
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
import pytest

from aimonk.errors import ConfigError, FeatureStoreError
from aimonk.sweeping.space import Range, Settings, Space
from aimonk.sweeping.study import RANDOM_TRIALS, Study, open_study
from tests.conftest import ROOT

from .conftest import make_trial

FIRST: Settings = {"training.l2": 0.5, "training.pos_weight_power": 0.25, "training.loss": "focal"}


@contextmanager
def opened(folder: Path, space: Space, identity: str = "same", blind: bool = False) -> Iterator[Study]:
    with open_study(folder / "sweeps", "test", identity, space, 42, blind) as study:
        yield study


def try_all(study: Study, count: int, first: Settings | None = None) -> list[Settings]:
    """Tell the score -|log10 l2 + 2| of each, so that l2 = 0.01 is best."""
    asked = study.ask(count, first)
    for one in asked:
        score = -abs(math.log10(one.params["training.l2"]) + 2)
        one.report(score, 1)
        study.tell(one, make_trial(study.next_number, (score,), one.params))
    return [one.params for one in asked]


def test_the_first_trial_is_what_it_begins_with_and_all_lie_in_the_space(
    tmp_path: Path, space: Space
) -> None:
    with opened(tmp_path, space) as study:
        tried = try_all(study, 4, FIRST) + try_all(study, 4, FIRST)
    assert tried[0] == FIRST
    assert FIRST not in tried[1:]
    for settings in tried:
        assert list(settings) == list(space.dimensions)
        assert all(settings[name] in dimension for name, dimension in space.dimensions.items())


def test_a_study_goes_on_as_if_it_had_not_been_interrupted(tmp_path: Path, space: Space) -> None:
    with opened(tmp_path / "whole", space) as study:
        whole = [settings for _ in range(5) for settings in try_all(study, 4, FIRST)]
    broken: list[Settings] = []
    for _ in range(5):
        with opened(tmp_path / "broken", space) as study:
            assert [trial.settings for trial in study.trials] == broken
            broken += try_all(study, 4, FIRST)
            study.ask(2)  # under way when the process ends: asked for again
    assert broken == whole


def test_the_sampler_learns_unless_it_is_blind(tmp_path: Path, space: Space) -> None:
    def distance(blind: bool) -> float:
        with opened(tmp_path / str(blind), space, blind=blind) as study:
            tried = [settings for _ in range(8) for settings in try_all(study, 4)]
        late = [float(settings["training.l2"]) for settings in tried[16:]]
        return sum(abs(math.log10(l2) + 2) for l2 in late) / len(late)

    # Without learning, log10 l2 is even on [-4, 0]: 1 from -2 on average.
    assert distance(blind=False) < 0.6
    assert distance(blind=True) == pytest.approx(1.0, abs=0.35)


def test_a_bad_trial_is_stopped_once_there_are_enough_to_compare_with(tmp_path: Path, space: Space) -> None:
    with opened(tmp_path, space) as study:
        for number in range(RANDOM_TRIALS):
            (asked,) = study.ask(1)
            asked.report(0.5 + number / 100, 1)
            assert not asked.should_prune()
            study.tell(asked, make_trial(study.next_number, (0.5 + number / 100,)))
        worse, better = study.ask(2)
        worse.report(0.534, 1)  # the median is 0.535
        better.report(0.536, 1)
        assert (bool(worse.should_prune()), bool(better.should_prune())) == (True, False)
        study.tell(worse, make_trial(study.next_number, (0.534,), pruned=True))
        study.tell(better, make_trial(study.next_number, (0.536,)))
    with opened(tmp_path, space) as study:
        assert [trial.pruned for trial in study.trials] == [False] * RANDOM_TRIALS + [True, False]
        states = [trial.state.name for trial in study._kept.trials]
        assert states == ["COMPLETE"] * RANDOM_TRIALS + ["PRUNED", "COMPLETE"]


def test_a_blind_study_stops_nothing(tmp_path: Path, space: Space) -> None:
    with opened(tmp_path, space, blind=True) as study:
        for _ in range(RANDOM_TRIALS):
            try_all(study, 1)
        (asked,) = study.ask(1)
        asked.report(-1e9, 1)
        assert not asked.should_prune()


def test_a_trial_whose_file_is_damaged_is_tried_again_under_a_new_number(
    tmp_path: Path, space: Space
) -> None:
    with opened(tmp_path, space) as study:
        try_all(study, 3)
    (tmp_path / "sweeps" / "test" / "trial-0001.npz").write_bytes(b"nothing")
    with opened(tmp_path, space) as study:
        assert [trial.number for trial in study.trials] == [0, 2]
        try_all(study, 1)
        assert [trial.number for trial in study.trials] == [0, 2, 3]


def test_optuna_itself_reads_what_is_kept(tmp_path: Path, space: Space) -> None:
    with opened(tmp_path, space) as study:
        tried = try_all(study, 2)
        study.run = ("a run", "what it was asked for")
    storage = f"sqlite:///{tmp_path / 'sweeps' / 'test.db'}"
    loaded = optuna.load_study(study_name="sweep", storage=storage)
    assert [trial.params for trial in loaded.trials] == tried
    assert loaded.trials[0].value == study.trials[0].score
    with opened(tmp_path, space) as study:
        assert study.run == ("a run", "what it was asked for")


def test_importance_tells_what_matters_from_what_does_not(tmp_path: Path, space: Space) -> None:
    with opened(tmp_path, space, blind=True) as study:
        assert study.importances() == {}
        for _ in range(6):
            try_all(study, 4)
        shares = study.importances()
    assert next(iter(shares)) == "training.l2"
    assert shares["training.l2"] > 0.6
    assert sum(shares.values()) == pytest.approx(1)


def test_equal_scores_have_no_importances(tmp_path: Path) -> None:
    with opened(tmp_path, Space({"training.l2": Range(0.0, 1.0)})) as study:
        for asked in study.ask(6):
            study.tell(asked, make_trial(study.next_number, (0.5,), asked.params))
        assert study.importances() == {}


def test_another_identity_needs_another_name(tmp_path: Path, space: Space) -> None:
    with opened(tmp_path, space):
        pass
    with (
        pytest.raises(ConfigError, match="The sweep test was begun with other data.*choose another --name"),
        opened(tmp_path, space, identity="other"),
    ):
        pass


def test_only_one_process_at_a_time_and_none_after_a_kill(tmp_path: Path, space: Space) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from aimonk.sweeping.space import Space; from aimonk.sweeping.study import open_study\n"
        "with open_study(Path(sys.argv[1]), 'test', 'same', Space({}), 42, False):\n"
        "    print('open', flush=True); time.sleep(60)\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "sweeps")], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(ConfigError, match="Another process works on the sweep test"), opened(tmp_path, space):
        pass
    other.kill()
    other.communicate()
    with opened(tmp_path, space) as study:
        assert study.trials == []


@pytest.mark.parametrize("content", [b"no database at all, but some text", None])
def test_a_file_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, space: Space, content: bytes | None
) -> None:
    path = tmp_path / "sweeps" / "test.db"
    path.parent.mkdir()
    if content is None:
        sqlite3.connect(path).close()
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(content)
    with (
        pytest.raises(FeatureStoreError, match=r"test\.db cannot be used") as caught,
        opened(tmp_path, space),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_what_goes_wrong_inside_is_not_blamed_on_the_study(tmp_path: Path, space: Space) -> None:
    with pytest.raises(OSError, match="something else"), opened(tmp_path, space):
        raise OSError("something else")
