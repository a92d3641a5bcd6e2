"""The model that a server answers with, and what it is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..errors import ModelError
from ..runtime.predictor import Predictor
from ..tracking.logged_model import model_package
from ..tracking.registry import resolve

_REGISTERED = "registered_model_meta"
"""MLflow writes this file into the folder of a registered version that it downloads."""


@dataclass(frozen=True)
class ServedModel:
    """A loaded model, and what it is called."""

    predictor: Predictor
    name: str
    version: str


@contextmanager
def loaded_for_serving(uri: str) -> Iterator[ServedModel]:
    """Load a model within its package's limits for servers; it is closed at the end.

    A model that is not registered has the name of its folder, and a part of its digest as its version.

    Args:
        uri: as `model_package` takes it.

    Raises:
        ModelError: there is no such model, or it is broken.
        TrackingError: the store cannot be reached.
    """
    version = resolve(uri)
    package = model_package(version.uri if version else uri)
    with Predictor(package, served=True) as predictor:
        if version:
            yield ServedModel(predictor, version.name, str(version.version))
            return
        name, number = _registered(Path(uri)) or (Path(uri).name, predictor.digest[:12])
        yield ServedModel(predictor, name, number)


def _registered(folder: Path) -> tuple[str, str] | None:
    """Name and version of a registered version that was downloaded into `folder`."""
    path = folder / _REGISTERED
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        return str(found["model_name"]), str(found["model_version"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise ModelError(f"{path} cannot be read ({error}); download the model again.") from None
