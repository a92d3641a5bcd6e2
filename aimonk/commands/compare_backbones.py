"""`aimonk backbones --compare`: several backbones on the user's own data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..backbones.named_backbone import named_backbone
from ..backbones.zoo import KerasApplication
from ..config import Config
from ..config_file import chosen_config
from ..data.dataset import Dataset
from ..errors import ConfigError
from ..evaluation.cross_validation import held_out_scores, score_fold
from ..evaluation.evidence import Evidence
from ..evaluation.held_out import HeldOutScores, compare_scores, evidence_of
from ..features.cache_key import check_store
from ..features.throughput import seconds_per_thousand
from ..progress import recorded, stage
from ..results.backbone_comparison import BackboneComparison, MeasuredBackbone
from ..training.open_learner import open_learner
from .read_data import read_data
from .train import plan_splits


def compare_backbones(
    backbones: Sequence[str],
    data: str | Path,
    labels: str | Path | None = None,
    *,
    config: str | Path | None = None,
    settings: Iterable[str] = (),
) -> BackboneComparison:
    """Measure backbones on the same images and folds, and say which is worth its time.

    Each is trained and scored as `aimonk train` does it, without a model that ships: nothing is logged or
    registered. Features are stored, so that a later training with the chosen backbone takes seconds.

    >>> aimonk.compare_backbones(["mobilenet@0.25", "vit.onnx"], "photos", "labels.csv").table
    ... # doctest: +SKIP

    Args:
        backbones: two or more, as `--backbone` takes them; `NAME=WEIGHTS` names a weights file too. The rows
            of the result are labeled with these texts.
        data: folder of images.
        labels: labels file; by default `labels.txt`, else `labels.csv`, in the folder or beside it.
        config: a recipe or a TOML file.
        settings: `section.key=value` for any setting.

    Raises:
        ConfigError: fewer than two backbones, one twice, or one without a name.
        BackboneError: a backbone or its weights cannot be had.
        ImagesError: too many images cannot be used.
        LabelsError: the labels are absent or not valid.
    """
    given = list(settings)
    _check_number(backbones)
    chosen = [_config(text, config, given) for text in backbones]
    _check_different(backbones, chosen)
    check_store(chosen[0].features)
    with recorded() as record:
        dataset = read_data(data, labels, chosen[0])
        trials = [_measure(text, one, dataset) for text, one in zip(backbones, chosen, strict=True)]
        with stage("compare", "Comparing"):
            best = max(trials, key=lambda trial: np.nan_to_num(trial.evidence.mean_ap.value))
            measured = tuple(_less_the_best(trial, best, chosen[0]) for trial in trials)
    return BackboneComparison(measured, len(dataset), tuple(record.warnings))


@dataclass(frozen=True)
class _Trial:
    name: str
    scores: HeldOutScores
    evidence: Evidence
    seconds: float


def _check_number(backbones: Sequence[str]) -> None:
    if len(backbones) < 2:
        raise ConfigError("Name two or more different backbones to compare, such as mobilenet@0.25,resnet50.")
    for text in backbones:
        if not text.partition("=")[0].strip():
            raise ConfigError(
                f"The backbone {text!r} has no name; name two or more, such as mobilenet@0.25,resnet50."
            )


def _check_different(backbones: Sequence[str], chosen: Sequence[Config]) -> None:
    """Refuse the same network with the same weights twice, however it was written."""
    seen: dict[tuple[str, str], str] = {}
    for text, config in zip(backbones, chosen, strict=True):
        backbone = named_backbone(config.features)
        name = str(backbone) if isinstance(backbone, KerasApplication) else str(backbone.path.resolve())
        network = (name, config.features.weights)
        if network in seen:
            raise ConfigError(
                f"{seen[network]} and {text} are the same backbone; name two or more different backbones to "
                "compare."
            )
        seen[network] = text


def _config(text: str, source: str | Path | None, settings: Sequence[str]) -> Config:
    name, _, weights = text.partition("=")
    return chosen_config(source, settings, backbone=name, weights=weights)


def _measure(text: str, config: Config, dataset: Dataset) -> _Trial:
    """Train on every fold and score what it holds out; models are forgotten, scores are kept."""
    learner = open_learner(config)
    learner.prepare(dataset)
    with stage("fit", f"Training on {learner.backbone.backbone}"):
        parts = [score_fold(learner.fit(split), split) for split in plan_splits(dataset, config)]
        scores, _ = held_out_scores(parts, dataset, config.evaluation)
        evidence = evidence_of(scores, config)
    with stage("speed", "Timing"):
        order = np.random.default_rng(0).permutation(len(dataset)).tolist()
        files = [(dataset.digests[row], dataset.paths[row]) for row in order]
        seconds = seconds_per_thousand(learner.backbone, files)
    return _Trial(text, scores, evidence, seconds)


def _less_the_best(trial: _Trial, best: _Trial, config: Config) -> MeasuredBackbone:
    comparison = None if trial is best else compare_scores(trial.scores, best.scores, config)
    return MeasuredBackbone(
        name=trial.name,
        evidence=trial.evidence,
        seconds_per_thousand=trial.seconds,
        difference=comparison.difference if comparison else None,
    )
