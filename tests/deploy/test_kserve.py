"""`deploy/kserve.yaml`: valid by its schema, and in step with the Dockerfile and the server."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.conftest import ROOT

from .dockerfile import steps

SCHEMA = json.loads(Path(__file__).with_name("kserve_schema.json").read_text())
MANIFEST = yaml.safe_load((ROOT / "deploy" / "kserve.yaml").read_text())
DOCKERFILE = dict(steps((ROOT / "deploy" / "Dockerfile").read_text()))


def container(manifest: Any) -> Any:
    return manifest["spec"]["predictor"]["containers"][0]


def test_it_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(MANIFEST, SCHEMA)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: one["spec"]["predictor"].update(minReplica=1),
        lambda one: one["spec"]["predictor"].update(timeout="60s"),
        lambda one: one.update(apiVersion="v1"),
        lambda one: one["metadata"].update(name="My_Model"),
        lambda one: container(one).update(name="server"),
        lambda one: container(one)["readinessProbe"]["httpGet"].pop("port"),
        lambda one: container(one)["resources"]["limits"].update(memory="2 GB"),
        lambda one: container(one)["securityContext"].update(runAsNonRoot="yes"),
    ],
)
def test_the_schema_finds_mistakes(spoil: Callable[[Any], object]) -> None:
    spoiled = copy.deepcopy(MANIFEST)
    spoil(spoiled)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoiled, SCHEMA)


def test_it_runs_the_image_as_it_was_built() -> None:
    one, port = container(MANIFEST), int(DOCKERFILE["EXPOSE"])
    assert one["ports"][0]["containerPort"] == port
    assert {one[probe]["httpGet"]["port"] for probe in ("readinessProbe", "livenessProbe")} == {port}
    assert one["securityContext"]["runAsUser"] == int(DOCKERFILE["USER"].split(":")[0])
    assert {mount["name"] for mount in one["volumeMounts"]} == {
        volume["name"] for volume in MANIFEST["spec"]["predictor"]["volumes"]
    }


def test_its_probes_are_pages_of_the_server() -> None:
    server = (ROOT / "aimonk" / "serving" / "http_server.py").read_text()
    one = container(MANIFEST)
    pages = [one[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")]
    pages.append(MANIFEST["metadata"]["annotations"]["prometheus.io/path"])
    for page in pages:
        assert f'Route("{page}", ' in server
