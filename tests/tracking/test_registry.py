from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient

from aimonk.errors import ModelError, TrackingError
from aimonk.evaluation.comparison import Decision
from aimonk.serving.log_package import log_package
from aimonk.tracking.registry import (
    CHALLENGER,
    CHAMPION,
    Version,
    champion,
    find_version,
    promote,
    register,
    set_alias,
)
from aimonk.tracking.run import tracked_run

YES, NO = Decision(True, "better on attr1"), Decision(False, "nothing was learned")


@pytest.fixture
def logged(store: MlflowClient, package: Path) -> ModelInfo:
    with tracked_run("dresses"):
        return log_package(package)


def test_a_version_leads_with_its_verdict(logged: ModelInfo, store: MlflowClient) -> None:
    made = register("dresses", logged, "NO EVIDENCE (0 of 4)", "972 images.", {"aimonk.mAP": "0.5"})
    assert (made.version, made.uri, made.run_id) == ("1", "models:/dresses/1", logged.run_id)
    read = find_version("dresses")
    assert read == made
    assert read.description == "NO EVIDENCE (0 of 4)\n\n972 images."
    assert read.tags == {"aimonk.verdict": "NO EVIDENCE (0 of 4)", "aimonk.mAP": "0.5"}
    linked = json.loads(store.get_logged_model(logged.model_id).tags["mlflow.modelVersions"])
    assert linked == [{"name": "dresses", "version": 1}]


def test_the_newest_version_is_the_highest_number(logged: ModelInfo) -> None:
    for _ in range(11):
        register("dresses", logged, "")
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


def test_the_gate_moves_champion_or_the_reason_stays(logged: ModelInfo) -> None:
    for _ in range(3):
        register("dresses", logged, "")
    met: list[tuple[str, str | None]] = []

    def gate(decision: Decision) -> object:
        def decide(challenger: Version, present: Version | None) -> Decision:
            met.append((challenger.version, present and present.version))
            return decision

        return decide

    promote("dresses", gate(YES), "1")
    assert find_version("dresses", "1").aliases == (CHAMPION,)

    refused = promote("dresses", gate(NO), "2")
    assert refused.to_json() == {
        "name": "dresses",
        "version": "2",
        "champion_before": "1",
        "promoted": False,
        "reason": "nothing was learned",
    }
    second = find_version("dresses", "2")
    assert second.aliases == (CHALLENGER,)
    assert (second.tags["aimonk.promoted"], second.tags["aimonk.promotion_reason"]) == ("false", NO.reason)
    assert champion("dresses") == find_version("dresses", "1")

    promote("dresses", gate(YES))
    promote("dresses", gate(YES), "2")
    assert met == [("1", None), ("2", "1"), ("3", "1"), ("2", "3")]
    assert find_version("dresses", "2").aliases == (CHAMPION,)
    assert find_version("dresses", "1").aliases == find_version("dresses", "3").aliases == ()

    promote("dresses", gate(NO), "2")
    assert find_version("dresses", "2").aliases == (CHAMPION,)
