"""What a run was trained on, as MLflow's data set input."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow.entities import Dataset
from mlflow.types import ColSpec, DataType, Schema

from ..data.label_audit import AttributeCounts

_DIGEST_LENGTH = 36  # of MLflow's column; the whole digest is in the profile
_SCHEMA_LENGTH = 65_535  # of MLflow's column


def describe(
    folder: Path,
    digest: str,
    images: int,
    counts: Sequence[AttributeCounts],
    facts: Mapping[str, Any] | None = None,
) -> Dataset:
    """Return the record of a folder of images and its labels.

    Args:
        folder: where the images are; its name is the data set's.
        digest: hex SHA-256 over labels and image digests, see `data.dataset.Dataset.digest`.
        images: number of images used.
        counts: labels per attribute.
        facts: more for the profile, e.g. the number of missing files.
    """
    labels = [ColSpec(DataType.float, count.name) for count in counts]
    profile = {
        "images": images,
        "sha256": digest,
        "attributes": {
            count.name: {"positives": count.positives, "negatives": count.negatives, "missing": count.missing}
            for count in counts
        },
        **(facts or {}),
    }
    columns = Schema([ColSpec(DataType.string, "image"), *labels])
    schema = json.dumps({"mlflow_colspec": columns.to_dict()})
    return Dataset(
        name=folder.resolve().name or "images",
        digest=digest[:_DIGEST_LENGTH],
        source_type="local",
        source=json.dumps({"uri": str(folder.resolve())}),
        schema=schema if len(schema) <= _SCHEMA_LENGTH else None,
        profile=json.dumps(profile),
    )
