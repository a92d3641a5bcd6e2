"""Registered versions, and the alias `champion` that only the gate moves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models.model import ModelInfo
from mlflow.tracking import MlflowClient
from mlflow.utils.mlflow_tags import MLFLOW_MODEL_VERSIONS

from ..errors import ModelError, TrackingError
from .outage import store_errors
from .patience import patient
from .tracking_store import be_quiet

CHAMPION, CHALLENGER = "champion", "challenger"
LATEST = "latest"
"""What MLflow's URIs call the newest version."""
"""Aliases: the version to serve, and the last one that the gate refused."""

VERDICT, PROMOTED, REASON = "aimonk.verdict", "aimonk.promoted", "aimonk.promotion_reason"
"""Tags of a version."""

LATEST_RUN = "aimonk.latest_run"
"""Tag of a registered model: the run that began last to train a version of it."""

_DESCRIPTION = 5000  # characters of MLflow's column


@dataclass(frozen=True)
class Version:
    """A registered version. `version` is text, as MLflow's servers have it."""

    name: str
    version: str
    run_id: str | None
    tags: Mapping[str, str]
    aliases: tuple[str, ...]
    description: str

    @property
    def uri(self) -> str:
        """What loads it anywhere."""
        return f"models:/{self.name}/{self.version}"


@patient
def register(
    name: str, model: ModelInfo, headline: str, description: str = "", tags: Mapping[str, str] | None = None
) -> Version:
    """Make a logged model the next version of `name`. Its description leads with the verdict.

    A resumed run that has a version already keeps it.

    Raises:
        TrackingError: the registry cannot be written, or does not take the name.
    """
    client = _client()
    text = f"{headline}\n\n{description}".strip()[:_DESCRIPTION]
    with store_errors():
        _create(client, name)
        if not _versions_of_run(client, name, model.run_id):
            client.create_model_version(
                name,
                source=model.model_uri,
                run_id=model.run_id,
                model_id=model.model_id,
                tags={VERDICT: headline, **(tags or {})},
                description=text,
            )
        # A server that was frozen may have carried out an earlier attempt after all.
        made, *surplus = _versions_of_run(client, name, model.run_id)
        for number in surplus:
            client.delete_model_version(name, str(number))
        _link(client, model.model_id, name, made)
    return find_version(name, str(made))


def _versions_of_run(client: MlflowClient, name: str, run_id: str | None) -> list[int]:
    found = client.search_model_versions(f"name = '{_quoted(name)}' and run_id = '{run_id}'")
    return sorted(int(version.version) for version in found)


@patient
def check_registry(name: str, run_id: str) -> None:
    """Find out before a training whether its version can be registered, by what it would need then.

    It creates the registered model, if there is none, and notes there the run that was begun last.

    Raises:
        TrackingError: the user may not register versions, or the registry does not take the name.
    """
    client = _client()
    _quoted(name)
    with store_errors():
        _create(client, name)
        client.set_registered_model_tag(name, LATEST_RUN, run_id)


def _create(client: MlflowClient, name: str) -> None:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"):
            raise


@patient
def find_version(name: str, version: str | None = None) -> Version:
    """Return a version of a registered model, with its aliases; the newest when none is named.

    Raises:
        ModelError: there is no such model or version.
        TrackingError: the registry cannot be reached.
    """
    client = _client()
    with store_errors():
        if version is None:
            numbers = [
                int(found.version) for found in client.search_model_versions(f"name = '{_quoted(name)}'")
            ]
            if not numbers:
                raise ModelError(f"There is no registered model {name!r}; train one with --register {name}.")
            version = str(max(numbers))
        try:
            return _version(client.get_model_version(name, version))  # the search leaves aliases empty
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
    raise ModelError(f"The registered model {name!r} has no version {version}.")


@patient
def champion(name: str) -> Version | None:
    """Return the version with the alias `champion`; None where there is none.

    Raises:
        TrackingError: the registry cannot be reached.
    """
    client = _client()
    with store_errors():
        try:
            found = client.get_model_version_by_alias(name, CHAMPION)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
    return find_version(name, str(found.version))


@patient
def record_decision(version: Version, promoted: bool, reason: str) -> None:
    """Record with a version what the gate decided, then move an alias.

    A promoted version takes the alias `champion`. A refused one takes `challenger`, unless it is the champion
    itself: the gate decides who replaces the champion, and nobody did.

    Raises:
        TrackingError: the registry cannot be written.
    """
    client = _client()
    with store_errors():
        client.set_model_version_tag(version.name, version.version, PROMOTED, str(promoted).lower())
        client.set_model_version_tag(version.name, version.version, REASON, reason)
    if promoted:
        set_alias(version, CHAMPION)
        with store_errors():
            if _holds(client, version, CHALLENGER):
                client.delete_registered_model_alias(version.name, CHALLENGER)
    elif not _holds(client, version, CHAMPION):
        set_alias(version, CHALLENGER)


@patient
def resolve(uri: str) -> Version | None:
    """Return the version that `models:/NAME/VERSION` or `models:/NAME@ALIAS` names, or `models:/NAME/latest`.

    None for any other URI.

    Raises:
        ModelError: there is no such model, version or alias.
        TrackingError: the registry cannot be reached.
    """
    if not uri.startswith("models:/"):
        return None
    rest = uri.removeprefix("models:/")
    name, at, alias = rest.partition("@")
    if at:
        with store_errors():
            try:
                return find_version(name, str(_client().get_model_version_by_alias(name, alias).version))
            except MlflowException as error:
                if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                    raise
        raise ModelError(f"The registered model {name!r} has no alias {alias!r}.")
    name, slash, version = rest.rpartition("/")
    if slash and version == LATEST:
        return find_version(name)
    return find_version(name, version) if slash and version.isdigit() else None


def run_of(uri: str) -> str:
    """Return the id of the run that trained a model, from `models:/...` or `runs:/ID/...`.

    Raises:
        ModelError: there is no such model, or the URI does not lead to a run.
        TrackingError: the registry cannot be reached.
    """
    run_id = find_run(uri)
    if run_id is None:
        raise ModelError(
            f"{uri} does not say which run trained it; give models:/NAME/VERSION or runs:/ID/model."
        )
    return run_id


def find_run(uri: str) -> str | None:
    """Return what `run_of` does, or None of a model that does not say its run, such as a folder."""
    if uri.startswith("runs:/"):
        return uri.removeprefix("runs:/").partition("/")[0]
    version = resolve(uri)
    return version.run_id if version else None


@patient
def set_alias(version: Version, alias: str) -> None:
    """Give a version an alias, taking it from the one that had it.

    Raises:
        TrackingError: the registry cannot be written, or does not take the alias.
    """
    with store_errors():
        _client().set_registered_model_alias(version.name, alias, version.version)


def _link(client: MlflowClient, model_id: str | None, name: str, version: int) -> None:
    """Name the version on the logged model's page, as `mlflow.register_model` does, which prints."""
    if model_id is None:
        return
    versions = json.loads(client.get_logged_model(model_id).tags.get(MLFLOW_MODEL_VERSIONS, "[]"))
    if (link := {"name": name, "version": version}) not in versions:
        client.set_logged_model_tags(model_id, {MLFLOW_MODEL_VERSIONS: json.dumps([*versions, link])})


def _holds(client: MlflowClient, version: Version, alias: str) -> bool:
    with store_errors():
        return alias in client.get_model_version(version.name, version.version).aliases


def _client() -> MlflowClient:
    be_quiet()
    return MlflowClient()


def _quoted(name: str) -> str:
    if "'" in name:
        raise TrackingError(
            f"The name {name!r} of a registered model has a quote, which MLflow cannot search for."
        )
    return name


def _version(found: ModelVersion) -> Version:
    return Version(
        name=found.name,
        version=str(found.version),
        run_id=found.run_id or None,
        tags=dict(found.tags or {}),
        aliases=tuple(found.aliases or ()),
        description=found.description or "",
    )
