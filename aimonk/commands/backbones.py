"""`aimonk backbones`: what can be named, how large it is, and whether its weights are at hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..backbones import catalog
from ..config_file import load_config
from ..errors import ConfigError
from ..results.backbones_result import BackbonesResult

DESCRIBING = ("features.image_size", "features.mean", "features.std")
"""Settings of what a file is; all others of the features, but for its name, change how fast it is."""


def list_backbones(
    files: Iterable[str | Path] = (),
    *,
    speed: bool = False,
    config: str | Path | None = None,
    settings: Iterable[str] = (),
) -> BackbonesResult:
    """Describe networks, by default every one that Keras has ImageNet weights for.

    >>> aimonk.list_backbones().table[["name", "dimension"]]  # doctest: +SKIP

    Args:
        files: ONNX files or folders, `.keras` files, or names of Keras' networks.
        speed: measure images per second on this machine, which takes some seconds for each: of what is named,
            or, where nothing is, of the networks whose weights are at hand.
        config: a recipe or a TOML file, whose `features` describe the files or are measured.
        settings: `section.key=value` likewise, such as `features.image_size=224` for a file that lies alone.

    Raises:
        BackboneError: a file is no image backbone, or a network is unknown.
        ConfigError: a setting is wrong, or changes nothing about the list.
    """
    named, given = [str(file) for file in files], list(settings)
    features = load_config(config, given).features
    _check_used(config, given, bool(named), speed)
    found = catalog.list_backbones(named, config=features)
    if speed:
        from dataclasses import replace

        from ..features.throughput import images_per_second

        chosen = named or [info.name for info in found if info.weights_at_hand]
        found = tuple(
            replace(info, images_per_second=images_per_second(info.name, features))
            if info.name in chosen
            else info
            for info in found
        )
    return BackbonesResult(found)


def _check_used(config: str | Path | None, settings: Sequence[str], files: bool, speed: bool) -> None:
    if config and not (files or speed):
        raise ConfigError(
            f"The settings in {config} change nothing about a list of backbones; leave out --config, or give "
            "--compare."
        )
    for setting in (assignment.partition("=")[0].strip() for assignment in settings):
        measured = setting.startswith("features.") and setting not in (
            "features.backbone",
            "features.weights",
        )
        if not (files and setting in DESCRIBING or speed and measured):
            raise ConfigError(
                f"The setting {setting} changes nothing about this list of backbones; leave it out, or give "
                "--compare."
            )
