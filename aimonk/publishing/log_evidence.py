"""The evidence in MLflow: summary metrics, one table with all attributes, and single metrics for a few."""

from __future__ import annotations

from collections.abc import Mapping

from ..config import Config
from ..data.dataset import Dataset
from ..evaluation.evidence import Evidence
from ..evaluation.thresholds import OperatingPoint
from ..tracking.keys import attribute_key
from ..tracking.run import Run
from .candidate import Candidate

TABLE = "attributes.json"


def log_evidence(
    run: Run, dataset: Dataset, candidate: Candidate, config: Config, seconds: Mapping[str, float]
) -> None:
    """Record figures of the model, and its pos_weights.

    Final figures are logged at step 0: MLflow's UI draws a metric with a single value there as a bar.
    """
    evidence, points = candidate.evidence, candidate.operating_points
    most = config.tracking.attribute_metrics
    metrics = summary_metrics(evidence) | attribute_metrics(evidence, points, most)
    metrics |= {"images": len(dataset), "best_epoch": candidate.history.best_epoch}
    metrics |= {f"seconds/{name}": taken for name, taken in seconds.items()}
    weights = list(candidate.pos_weights.items())[:most]
    metrics |= {f"pos_weight/{attribute_key(name)}": weight for name, weight in weights}
    run.params({f"pos_weight.{attribute_key(name)}": f"{weight:.6g}" for name, weight in weights})
    run.metrics(metrics)
    run.table(TABLE, attribute_table(candidate))


def summary_metrics(evidence: Evidence) -> dict[str, float]:
    """Return the means over all attributes, and how many were learned."""
    return {
        "mAP": evidence.mean_ap.value,
        "mAP_low": evidence.mean_ap.low,
        "mAP_high": evidence.mean_ap.high,
        "AUC": evidence.mean_auc.value,
        "AUC_low": evidence.mean_auc.low,
        "AUC_high": evidence.mean_auc.high,
        "learned": len(evidence.learned),
    }


def attribute_metrics(evidence: Evidence, points: tuple[OperatingPoint, ...], most: int) -> dict[str, float]:
    """Return the figures of the first `most` attributes as single metrics, such as `ap/belt`."""
    metrics: dict[str, float] = {}
    for found, point in list(zip(evidence.attributes, points, strict=True))[:most]:
        key = attribute_key(found.name)
        metrics |= {
            f"ap/{key}": found.ap.value,
            f"auc/{key}": found.auc.value,
            f"p_value/{key}": found.p_value,
            f"prevalence/{key}": found.prevalence,
            f"f1/{key}": point.f1,
            f"threshold/{key}": point.threshold,
        }
    return metrics


def attribute_table(candidate: Candidate) -> dict[str, list[object]]:
    """Return a row per attribute, under its own name and with the key that stands for it in MLflow."""
    rows = [
        {
            "attribute": found.name,
            "key": attribute_key(found.name),
            "verdict": str(found.verdict),
            "positives": found.positives,
            "negatives": found.negatives,
            "prevalence": found.prevalence,
            "ap": found.ap.value,
            "ap_low": found.ap.low,
            "ap_high": found.ap.high,
            "auc": found.auc.value,
            "p_value": found.p_value,
            "pos_weight": candidate.pos_weights[found.name],
            "threshold": point.threshold,
            "f1": point.f1,
        }
        for found, point in zip(candidate.evidence.attributes, candidate.operating_points, strict=True)
    ]
    return {column: [row[column] for row in rows] for column in rows[0]}
