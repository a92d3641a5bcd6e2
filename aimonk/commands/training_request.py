"""What is to be trained: asked for just now, or by a run that was interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..config import Config
from ..config_file import checked
from ..errors import ConfigError
from ..features.cache_key import checkpoint_folder, store_folder
from ..progress import LOGGER


@dataclass(frozen=True)
class TrainingRequest:
    """What is to be trained."""

    data: Path
    labels: Path | None
    config: Config
    recipe: str
    """Where the settings come from, for whoever compares runs."""
    run_id: str | None = None
    """An interrupted run to resume."""


def interrupted_request(run_id: str) -> TrainingRequest:
    """Return what an interrupted run was asked for.

    Raises:
        TrackingError: there is no such run, it keeps no request, or it has finished.
        ConfigError: it was made by an aimonk with other settings, or with another feature store.
    """
    from ..tracking.recorded_request import read_request

    kept = read_request(run_id)
    labels, config = kept["labels"], checked(kept["config"])
    _check_checkpoints(run_id, Path(kept.get("store") or store_folder(config.features)), config)
    return TrainingRequest(
        Path(kept["data"]), Path(labels) if labels else None, config, kept["recipe"], run_id
    )


def _check_checkpoints(run_id: str, used: Path, config: Config) -> None:
    """Do not train again in silence what has a checkpoint in another feature store.

    Raises:
        ConfigError: it has one there.
    """
    present = store_folder(config.features).resolve()
    if present == used or checkpoint_folder(config.features, run_id).is_dir():
        return
    if (used / "checkpoints" / run_id).is_dir():
        raise ConfigError(
            f"The run {run_id} keeps its checkpoints in the feature store {used}, but the present one is "
            f"{present}; set AIMONK_STORE={used}."
        )
    LOGGER.warning(
        "The checkpoints of this run were in the feature store %s, which is not here: training starts over",
        used,
    )
