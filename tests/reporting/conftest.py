"""Reports without a training behind them: one of every section, worked out by hand or drawn at random."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from aimonk.data.label_audit import AttributeCounts, Audit, Contradiction
from aimonk.data.labels import MISSING
from aimonk.evaluation.evidence import AttributeEvidence, Evidence, Verdict
from aimonk.evaluation.intervals import Interval
from aimonk.evaluation.label_errors import Suspect
from aimonk.evaluation.thresholds import OperatingPoint
from aimonk.reporting.report_data import Predictions, ReportData, Resolver, no_pictures
from aimonk.training.history import History


def read_clothing(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    """Images, attributes and targets of a labels.csv with NA."""
    with (folder / "labels.csv").open(encoding="utf-8") as lines:
        header, *rows = csv.reader(lines)
    targets = [[MISSING if cell == "NA" else float(cell) for cell in row[1:]] for row in rows]
    return tuple(row[0] for row in rows), tuple(header[1:]), np.array(targets, dtype=np.float32)


def draw_targets(images: int, attributes: int, seed: int = 0) -> np.ndarray:
    """Labels of falling prevalence, 8% of them not known."""
    generator = np.random.default_rng(seed)
    prevalence = np.linspace(0.8, 0.06, attributes)
    targets = (generator.random((images, attributes)) < prevalence).astype(np.float32)
    targets[generator.random(targets.shape) < 0.08] = MISSING
    return targets


def simulate_report(
    images: tuple[str, ...],
    attributes: tuple[str, ...],
    targets: np.ndarray,
    skill: float,
    picture: Resolver = no_pictures,
    seed: int = 0,
) -> ReportData:
    """A report on scores whose positives lie `skill` standard deviations above the negatives."""
    generator = np.random.default_rng(seed)
    prevalence = np.array([targets[:, j][targets[:, j] != MISSING].mean() for j in range(len(attributes))])
    strengths = skill * generator.uniform(0.5, 1.5, len(attributes))
    scales = np.maximum(strengths, 0.3)  # a model without skill is not silent
    logits = generator.standard_normal(targets.shape) + strengths * (targets == 1)
    shift = np.log(prevalence / (1 - prevalence)) - strengths**2 / 2
    calibrated = 1 / (1 + np.exp(-(scales * logits + shift)))
    skewed = 1 / (1 + np.exp(-1.2 * (logits - strengths / 2)))
    evidence = _weigh(attributes, targets, calibrated, generator)
    points = tuple(_point(name, targets[:, j], calibrated[:, j]) for j, name in enumerate(attributes))
    return ReportData(
        title="clothing attributes",
        created="23 November 2026, 20:30 UTC",
        facts={
            "Data": "/data/clothing/images, labels.csv, digest 6f1e2a9c",
            "Backbone": "mobilenet@0.25, frozen, weights mobilenet_2_5_224_tf_no_top.h5 (dbdb03ee)",
            "Engine": "OpenVINO, f32",
            "Images": f"{len(images):,}",
            "Seed": "42",
            "aimonk": "0.1.0, commit 1f0c3de",
        },
        seconds={"reading and audit": 3.1, "features": 6.4, "training": 8.2, "evidence": 2.7, "report": 2.1},
        audit=count_labels(images, attributes, targets),
        evidence=evidence,
        operating_points=points,
        ece_before=generator.uniform(0.1, 0.2, len(attributes)),
        ece_after=generator.uniform(0.01, 0.04, len(attributes)),
        history=falling_history(steps=34, epochs=24, overfits=skill < 0.5, generator=generator),
        suspects=_suspects(images, attributes, targets, calibrated, known=True, limit=40),
        fillable=_suspects(images, attributes, targets, calibrated, known=False, limit=24),
        predictions=Predictions(images, targets, calibrated, skewed),
        picture=picture,
        decision="Version 7 is the champion now: mean AP is up by 0.021 [0.008, 0.034] on the same images."
        if evidence.learned
        else "Version 7 was not promoted: it shows no evidence of having learned anything.",
    )


def _weigh(
    attributes: tuple[str, ...], targets: np.ndarray, scores: np.ndarray, generator: np.random.Generator
) -> Evidence:
    found = []
    for j, name in enumerate(attributes):
        known = targets[:, j] != MISSING
        truth, score = targets[known, j] == 1, scores[known, j]
        positives, negatives = int(truth.sum()), int((~truth).sum())
        ap, auc = average_precision_score(truth, score), roc_auc_score(truth, score)
        ap_width = 1.6 * math.sqrt(ap * (1 - ap) / positives)
        auc_width = 1.3 * math.sqrt(auc * (1 - auc) / min(positives, negatives))
        z = (auc - 0.5) / math.sqrt((positives + negatives + 1) / (12 * positives * negatives))
        p = max(1e-4, 0.5 * math.erfc(z / math.sqrt(2)))
        corrected = min(1.0, p * len(attributes))
        found.append(
            AttributeEvidence(
                name,
                positives,
                negatives,
                Interval(ap, max(0, ap - ap_width), min(1, ap + ap_width)),
                Interval(auc, max(0, auc - auc_width), min(1, auc + auc_width)),
                corrected,
                p,
                Verdict.LEARNED if corrected < 0.05 else Verdict.NO_EVIDENCE,
            )
        )
    mean_ap = float(np.mean([a.ap.value for a in found]))
    mean_auc = float(np.mean([a.auc.value for a in found]))
    return Evidence(
        tuple(found),
        Interval(mean_ap, mean_ap - 0.012, mean_ap + 0.013),
        Interval(mean_auc, mean_auc - 0.009, mean_auc + 0.008),
        len(targets),
        5,
    )


def _point(name: str, targets: np.ndarray, probabilities: np.ndarray) -> OperatingPoint:
    known = targets != MISSING
    truth, scores = targets[known] == 1, probabilities[known]

    def at(threshold: float) -> tuple[float, float, float]:
        said = scores >= threshold
        hits = (said & truth).sum()
        precision, recall = hits / max(said.sum(), 1), hits / truth.sum()
        return precision, recall, 2 * hits / (said.sum() + truth.sum())

    threshold = max(np.quantile(scores, np.linspace(0, 0.99, 60)), key=lambda t: at(t)[2])
    share = truth.mean()
    return OperatingPoint(name, float(threshold), *at(threshold), at(0.5)[2], 2 * share / (1 + share))


def _suspects(
    images: tuple[str, ...],
    attributes: tuple[str, ...],
    targets: np.ndarray,
    probabilities: np.ndarray,
    *,
    known: bool,
    limit: int,
) -> tuple[Suspect, ...]:
    gap = np.abs(probabilities - targets) if known else np.abs(probabilities - 0.5)
    gap = np.where((targets != MISSING) == known, gap, -1)
    cells = np.dstack(np.unravel_index(np.argsort(-gap, axis=None), gap.shape))[0][:limit]
    return tuple(
        Suspect(
            images[i],
            attributes[j],
            int(targets[i, j]) if known else None,
            float(probabilities[i, j]),
            float(gap[i, j]),
        )
        for i, j in cells
    )


def falling_history(steps: int, epochs: int, overfits: bool, generator: np.random.Generator) -> History:
    """A training loss that falls with noise; the validation loss follows it, or turns around."""
    t = np.arange(1, steps * epochs + 1) / (steps * epochs)
    losses = 0.16 + 0.56 * np.exp(-5 * t) + 0.03 * generator.standard_normal(len(t))
    ends = t[steps - 1 :: steps]
    validation = 0.7 + 0.35 * ends if overfits else 0.27 + 0.43 * np.exp(-6 * ends) + 0.05 * ends**2
    return History(
        losses.astype(np.float32),
        tuple(range(steps, steps * epochs + 1, steps)),
        tuple(float(v) for v in validation),
        int(np.argmin(validation)) + 1,
    )


def count_labels(
    images: tuple[str, ...], attributes: tuple[str, ...], targets: np.ndarray, **changes: Any
) -> Audit:
    """An audit whose counts belong to the targets; other findings as given."""
    counts = tuple(
        AttributeCounts(name, int((c == 1).sum()), int((c == 0).sum()), int((c == MISSING).sum()))
        for name, c in zip(attributes, targets.T, strict=True)
    )
    patterns: dict[tuple[str, ...], int] = {}
    for row in targets:
        pattern = tuple(name for name, value in zip(attributes, row, strict=True) if value == MISSING)
        patterns[pattern] = patterns.get(pattern, 0) + 1
    positive = (targets == 1).astype(np.int64)
    fields: dict[str, Any] = {
        "rows": len(images),
        "missing": (),
        "unreadable": (),
        "mislabeled_formats": (),
        "formats": {"JPEG": len(images)},
        "widths": (163, 267, 400),
        "heights": (240, 400, 400),
        "attributes": counts,
        "usable_attributes": counts,
        "na_patterns": tuple(sorted(patterns.items(), key=lambda item: (-item[1], item[0]))),
        "cooccurrence": positive.T @ positive,
        "identical": (),
        "near_identical": (),
        "retouched": (),
        "contradictions": (),
        "usable": np.arange(len(images)),
        "groups": np.arange(len(images)),
    }
    return Audit(**{**fields, **changes})


@pytest.fixture
def simulate() -> Callable[..., ReportData]:
    """`simulate(images, attributes, skill)`: a report on drawn labels."""

    def build(images: int, attributes: int, skill: float, **changes: Any) -> ReportData:
        names = tuple(f"image_{i}.jpg" for i in range(images))
        targets = draw_targets(images, attributes)
        return simulate_report(names, tuple(f"attr{j}" for j in range(attributes)), targets, skill, **changes)

    return build


@pytest.fixture
def small() -> ReportData:
    """Three attributes, one of each verdict, every section filled, every number typed by hand."""
    nan = float("nan")
    counts = (
        AttributeCounts("collar", 40, 60, 0),
        AttributeCounts("scarf", 30, 60, 10),
        AttributeCounts("<b>hat</b>", 4, 90, 6),
    )
    return ReportData(
        title='Dresses & "more"',
        created="2026-11-23 20:30 UTC",
        facts={"Backbone": "resnet50", "Data": "<script>alert(1)</script>"},
        seconds={"features": 9.4, "training": 200.0},
        audit=Audit(
            rows=100,
            missing=("gone.jpg",),
            unreadable=(("broken.jpg", "cut short"),),
            mislabeled_formats=(("photo.jpg", "PNG"),),
            formats={"JPEG": 97, "PNG": 1},
            widths=(100, 300, 480),
            heights=(120, 400, 481),
            attributes=counts,
            usable_attributes=counts,
            na_patterns=(((), 85), (("scarf",), 9), (("<b>hat</b>",), 5), (("scarf", "<b>hat</b>"), 1)),
            cooccurrence=np.array([[40, 10, 4], [10, 30, 0], [4, 0, 4]]),
            identical=(("a.jpg", "b.jpg"),),
            near_identical=(("c.jpg", "d.jpg"),),
            retouched=(("e.jpg", "f.jpg", "g.jpg"),),
            contradictions=(Contradiction("scarf", ("a.jpg", "b.jpg"), (1, 0)),),
            usable=np.arange(98),
            groups=np.arange(98),
        ),
        evidence=Evidence(
            attributes=(
                AttributeEvidence(
                    "collar",
                    40,
                    60,
                    Interval(0.75, 0.65, 0.85),
                    Interval(0.8, 0.71, 0.89),
                    0.0003,
                    0.0001,
                    Verdict.LEARNED,
                ),
                AttributeEvidence(
                    "scarf",
                    30,
                    60,
                    Interval(0.35, 0.25, 0.45),
                    Interval(0.52, 0.41, 0.63),
                    0.412,
                    0.206,
                    Verdict.NO_EVIDENCE,
                ),
                AttributeEvidence(
                    "<b>hat</b>",
                    4,
                    90,
                    Interval(0.06, nan, nan),
                    Interval(0.5, nan, nan),
                    nan,
                    nan,
                    Verdict.TOO_FEW,
                ),
            ),
            mean_ap=Interval(0.55, 0.48, 0.62),
            mean_auc=Interval(0.66, 0.59, 0.73),
            images=98,
            folds=5,
        ),
        operating_points=(
            OperatingPoint("collar", 0.4, 0.7, 0.8, 0.7467, 0.7, 0.5714),
            OperatingPoint("scarf", 0.2, 0.34, 0.95, 0.5, 0.1, 0.5),
            OperatingPoint("<b>hat</b>", 0.6, nan, 0.0, 0.0, 0.0, 0.0816),
        ),
        ece_before=np.array([0.2, 0.1, 0.3]),
        ece_after=np.array([0.02, 0.03, 0.04]),
        history=History(
            np.array([0.7, 0.6, 0.5, 0.4, 0.3, 0.2], dtype=np.float32), (2, 4, 6), (0.6, 0.5, 0.55), 2
        ),
        suspects=(Suspect("s.jpg", "collar", 0, 0.97, 0.95), Suspect("t.jpg", "scarf", 1, 0.02, 0.9)),
        fillable=(Suspect("u.jpg", "<b>hat</b>", None, 0.93, 0.86),),
        predictions=Predictions(
            images=("p.jpg", "q.jpg", "r.jpg"),
            targets=np.array([[1, 0, 0], [0, 1, MISSING], [1, 1, 0]], dtype=np.float32),
            probabilities=np.array([[0.9, 0.1, 0.1], [0.6, 0.1, 0.5], [0.7, 0.3, 0.7]]),
            uncalibrated=np.array([[0.95, 0.3, 0.2], [0.7, 0.2, 0.6], [0.8, 0.4, 0.8]]),
        ),
        decision="Not promoted: <i>scarf</i> is worse than in version 3.",
        warnings=("Weights are random: there was no network.",),
    )
