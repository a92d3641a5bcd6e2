from __future__ import annotations

import time

import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from aimonk.publishing.trial_runs import is_unfinished, log_trial, logged_trials
from aimonk.tracking.tracked_run import tracked_run
from aimonk.training.history import History

HISTORY = History(np.array([0.75, 0.25, 0.5, 0.125], np.float32), (2, 4), (0.5, 0.375), 2)


def points(store: MlflowClient, run_id: str, key: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.get_metric_history(run_id, key)]


def test_a_trial_is_a_run_of_its_own_below_the_sweep(store: MlflowClient) -> None:
    params = {"training.l2": 0.01, "training.loss": "focal"}
    with tracked_run("dresses") as parent:
        run_id = log_trial(
            parent, 7, params, {"validation_mAP": 0.5}, (0.4, 0.6), HISTORY, False, 1000.5, 1002.5
        )
        log_trial(parent, 9, params, {}, (0.3,), HISTORY, True, 1000.0, 1001.0)
        assert logged_trials(parent) == {7, 9}
    trial = store.get_run(run_id)
    assert trial.data.tags["mlflow.parentRunId"] == parent.id
    assert trial.info.experiment_id == parent.experiment_id
    assert (trial.info.run_name, trial.info.status) == ("trial 7", "FINISHED")
    assert (trial.info.start_time, trial.info.end_time) == (1_000_500, 1_002_500)
    assert trial.data.params == {"training.l2": "0.01", "training.loss": "focal"}
    assert trial.data.metrics["validation_mAP"] == 0.5
    assert points(store, run_id, "fold_mAP") == [(1, 0.4), (2, 0.6)]
    assert points(store, run_id, "training_loss") == [(2, 0.5), (4, 0.3125)]  # means of an epoch
    assert points(store, run_id, "validation_loss") == [(2, 0.5), (4, 0.375)]
    (pruned,) = store.search_runs([parent.experiment_id], "tags.`aimonk.trial_state` = 'pruned'")
    assert pruned.data.tags["aimonk.trial"] == "9"


def test_trials_of_another_sweep_are_not_ours(store: MlflowClient) -> None:
    with tracked_run("dresses") as first:
        log_trial(first, 0, {}, {}, (0.5,), HISTORY, False, 1.0, 2.0)
    with tracked_run("dresses") as second:
        assert logged_trials(second) == set()


def test_a_long_training_is_thinned_to_its_ends(store: MlflowClient) -> None:
    epochs = 5000
    steps = tuple(range(3, 3 * epochs + 1, 3))
    history = History(np.ones(3 * epochs, np.float32), steps, tuple(np.linspace(1, 0, epochs)), epochs)
    with tracked_run("dresses") as parent:
        run_id = log_trial(parent, 0, {}, {}, (0.5,), history, False, 1.0, 2.0)
    kept = points(store, run_id, "validation_loss")
    assert len(kept) == 300
    assert (kept[0], kept[-1]) == ((3, 1.0), (15_000, 0.0))


def test_losses_that_are_not_numbers_are_left_out(store: MlflowClient) -> None:
    history = History(np.array([1.0, np.nan], np.float32), (1, 2), (np.inf, 0.5), 1)
    with tracked_run("dresses") as parent:
        run_id = log_trial(parent, 0, {}, {}, (), history, False, 1.0, 2.0)
    assert points(store, run_id, "training_loss") == [(1, 1.0)]
    assert points(store, run_id, "validation_loss") == [(2, 0.5)]


def test_only_a_run_that_has_not_finished_is_gone_on_with(store: MlflowClient) -> None:
    with pytest.raises(KeyboardInterrupt), tracked_run("dresses") as interrupted:
        raise KeyboardInterrupt
    with tracked_run("dresses") as finished:
        assert is_unfinished(finished.id)
    assert is_unfinished(interrupted.id)
    assert not is_unfinished(finished.id)
    assert not is_unfinished("0" * 32)
    store.delete_run(interrupted.id)
    assert not is_unfinished(interrupted.id)


def test_fifty_trials_are_recorded_in_seconds(store: MlflowClient) -> None:
    """60 epochs each; the processor's time, as other processes may be busy."""
    history = History(np.ones(60 * 33, np.float32), tuple(range(33, 1981, 33)), (0.5,) * 60, 60)
    params = {f"training.setting_{number}": 0.1 for number in range(4)}
    with tracked_run("dresses") as parent:
        began = time.process_time()
        for number in range(10):
            log_trial(parent, number, params, {"validation_mAP": 0.5}, (0.5,) * 5, history, False, 1.0, 2.0)
        assert time.process_time() - began < 2.0


def test_a_trial_cut_short_while_it_was_recorded_is_recorded_anew(store: MlflowClient) -> None:
    with tracked_run("dresses") as parent:
        whole = log_trial(parent, 0, {}, {}, (0.5,), HISTORY, False, 1.0, 2.0)
        tags = {"aimonk.trial": "1", "mlflow.parentRunId": parent.id}
        store.create_run(parent.experiment_id, 1000, tags=tags)  # killed here: no metrics, no end
        assert logged_trials(parent) == {0}
        again = log_trial(parent, 1, {}, {}, (0.5,), HISTORY, False, 1.0, 2.0)
        assert logged_trials(parent) == {0, 1}
        found = store.search_runs([parent.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.id}'")
    assert {run.info.run_id for run in found} == {whole, again}
