"""Measure what each choice in the recipe `finetune` is worth: with it and without it, on the same test fifth.

    python experiments/benchmarks/finetune_ablations.py --keep DIR [--data DIR --labels FILE]

Each row changes one setting of the file, trains anew (some 5 minutes on 2 cores) and compares its scores of
the grouped test fifth with those of the file as it stands: a paired bootstrap over photos gives the interval
of the difference of mean AP (the row less the file). Below 0, the file is better. Scores are kept in DIR, so
that an interrupted measurement goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
from pathlib import Path

import numpy as np
from relearning import arguments, open_bench

from aimonk.atomic_files import write_whole
from aimonk.data.dataset import Dataset
from aimonk.data.split import make_split
from aimonk.evaluation.comparison import compare

ROWS = (
    ("training.mode=frozen", "the head alone"),
    ("features.colors=0", "no palette of colors"),
    ("features.colors=1", "one place to look at colors, not two"),
    ("finetune.augment=[]", "nothing augmented"),
    ('finetune.augment=["crop", "erase"]', "no mirror images"),
    ('finetune.augment=["flip", "erase"]', "no crops"),
    ('finetune.augment=["flip", "crop"]', "nothing erased"),
    ('finetune.augment=["flip", "crop", "erase", "color"]', "other colors too"),
    ('finetune.augment=["flip", "crop", "erase", "rotate"]', "rotated too"),
    ("training.loss=asymmetric", "asymmetric loss"),
    ("training.loss=partial_asymmetric", "asymmetric loss that uses unknown labels"),
    ("finetune.average=0.99", "moving average of the weights"),
    ("finetune.dropout=0", "no dropout"),
    ("features.pooling=mean+center", "the last map alone"),
    ("finetune.last_layers=40", "the last 40 layers alone"),
    ("training.loss=focal", "focal loss"),
    ("finetune.resolution=0", "trained on images as large as it answers for"),
    ("finetune.warmup_epochs=0", "no warm-up"),
    ("finetune.learning_rate=3e-4", "a smaller rate"),
    ("finetune.weight_decay=0.05", "more weight decay"),
)


def scored(given: argparse.Namespace, setting: str) -> tuple[np.ndarray, Dataset, np.ndarray]:
    """Logits of the test images, `(n, L)`, the data, and the test images' rows."""
    bench = open_bench(given, ["evaluation.refit=false", *([setting] if setting else [])], "finetune")
    data, config = bench.data, bench.config
    plan = make_split(data.targets, data.groups, data.split, config.split, data.names)
    asked = json.dumps([config.flat(), data.digest])
    kept = given.keep / f"{hashlib.sha256(asked.encode()).hexdigest()[:16]}.npy"
    if not kept.exists():
        bench.learner.prepare(data)
        logits = bench.learner.fit(plan).logits(plan.test)
        buffer = io.BytesIO()
        np.save(buffer, logits, allow_pickle=False)
        given.keep.mkdir(parents=True, exist_ok=True)
        write_whole(kept, buffer.getbuffer())
    return np.load(kept), data, plan.test


def main() -> None:
    """Print the table, of the rows that are there when it is interrupted too."""
    parser = arguments(__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    given = parser.parse_args()
    lines = ["| setting | what it changes | mean AP | difference, 95% interval |", "|---|---|---:|---:|"]
    try:
        scores = []
        for setting, meaning in (("", "as it stands"), *ROWS):
            logits, data, test = scored(given, setting)
            scores.append(logits)
            found = compare(data.targets[test], logits, scores[0], data.attributes, data.groups[test])
            gap = found.difference
            paired = f"{gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f})" if setting else ""
            lines.append(f"| `{setting or 'finetune'}` | {meaning} | {found.challenger:.3f} | {paired} |")
    finally:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
