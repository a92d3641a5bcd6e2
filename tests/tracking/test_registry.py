from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient

from aimonk.errors import ModelError, TrackingError
from aimonk.serving.log_package import log_package
from aimonk.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    champion,
    find_version,
    record_decision,
    register,
    resolve,
    set_alias,
)
from aimonk.tracking.tracked_run import tracked_run

Log = Callable[[], ModelInfo]


@pytest.fixture
def log(store: MlflowClient, package: Path) -> Log:
    """Logs a model with a run of its own."""

    def logged() -> ModelInfo:
        with tracked_run("dresses"):
            return log_package(package)

    return logged


@pytest.fixture
def logged(log: Log) -> ModelInfo:
    return log()


def test_a_version_leads_with_its_verdict(logged: ModelInfo, store: MlflowClient) -> None:
    made = register("dresses", logged, "NO EVIDENCE (0 of 4)", "972 images.", {"aimonk.mAP": "0.5"})
    assert (made.version, made.uri, made.run_id) == ("1", "models:/dresses/1", logged.run_id)
    read = find_version("dresses")
    assert read == made
    assert read.description == "NO EVIDENCE (0 of 4)\n\n972 images."
    assert read.tags == {"aimonk.verdict": "NO EVIDENCE (0 of 4)", "aimonk.mAP": "0.5"}
    linked = json.loads(store.get_logged_model(logged.model_id).tags["mlflow.modelVersions"])
    assert linked == [{"name": "dresses", "version": 1}]


def test_the_newest_version_is_the_highest_number(log: Log) -> None:
    for _ in range(11):
        register("dresses", log(), "")
    assert find_version("dresses").version == "11"
    assert find_version("dresses", "9").version == "9"


def test_what_is_not_there_is_one_sentence(logged: ModelInfo) -> None:
    with pytest.raises(ModelError, match="no registered model 'dresses'"):
        find_version("dresses")
    register("dresses", logged, "")
    for version in ("2", "two"):
        with pytest.raises(ModelError, match=f"'dresses' has no version {version}"):
            find_version("dresses", version)
    assert champion("dresses") is None
    assert champion("absent") is None


@pytest.mark.parametrize("name", ["a/b", "", "a:b"])
def test_a_name_that_mlflow_refuses_is_one_sentence(logged: ModelInfo, name: str) -> None:
    with pytest.raises(TrackingError):
        register(name, logged, "")


def test_a_quoted_name_is_found(logged: ModelInfo) -> None:
    register('the "best"', logged, "")
    assert find_version('the "best"').version == "1"


@pytest.mark.parametrize("alias", ["latest", "v1", "a b"])
def test_a_reserved_alias_is_one_sentence(logged: ModelInfo, alias: str) -> None:
    with pytest.raises(TrackingError):
        set_alias(register("dresses", logged, ""), alias)


def test_champion_moves_or_the_reason_stays(log: Log) -> None:
    first, second, third = (register("dresses", log(), "") for _ in range(3))
    record_decision(first, True, "better on attr1")
    assert find_version("dresses", "1").aliases == (CHAMPION,)

    record_decision(second, False, "nothing was learned")
    refused = find_version("dresses", "2")
    assert refused.aliases == (CHALLENGER,)
    tags = (refused.tags["aimonk.promoted"], refused.tags["aimonk.promotion_reason"])
    assert tags == ("false", "nothing was learned")
    assert champion("dresses") == find_version("dresses", "1")

    record_decision(third, True, "")
    record_decision(second, True, "")
    assert find_version("dresses", "2").aliases == (CHAMPION,)
    assert find_version("dresses", "1").aliases == find_version("dresses", "3").aliases == ()

    record_decision(second, False, "the champion itself")
    assert find_version("dresses", "2").aliases == (CHAMPION,)


def test_a_resumed_run_keeps_its_version(log: Log) -> None:
    made = log()
    assert register("dresses", made, "first").version == "1"
    again = register("dresses", made, "second")
    assert (again.version, again.description) == ("1", "first")
    assert register("dresses", log(), "another run").version == "2"


def test_a_uri_is_resolved_to_the_version_it_names(log: Log) -> None:
    version = register("dresses", log(), "")
    set_alias(version, CHAMPION)
    assert resolve("models:/dresses@champion") == resolve("models:/dresses/1") == find_version("dresses", "1")
    assert resolve("runs:/abc/model") is None
    assert resolve("some/folder") is None
    with pytest.raises(ModelError, match="'dresses' has no alias 'staging'"):
        resolve("models:/dresses@staging")
