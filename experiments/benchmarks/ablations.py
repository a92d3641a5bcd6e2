"""Measure what each choice in the defaults is worth: with it and without it, on the same folds.

    python experiments/benchmarks/ablations.py [--data DIR --labels FILE] [--backbone FILE] [--only features]

Each row changes one setting of the defaults, fits and scores all folds anew, and compares the out-of-fold
scores with those of the defaults on the same images: a paired bootstrap over photos gives the interval of the
difference of mean AP (the row less the defaults). Below 0, the default is better.
"""

from __future__ import annotations

import sys

from relearning import arguments, open_bench

from aimonk.evaluation.comparison import compare

ROWS = (
    ("features.colors=0", "no palette of colors"),
    ("features.resolution=1.0", "images as large as the backbone was made for"),
    ("features.resolution=1.43", "images of 320 pixels"),
    ("features.resolution=2.0", "images of 448 pixels"),
    ("features.pooling=mean+center", "the last map alone"),
    ("features.pooling=mean", "the last map alone, without its middle"),
    ('features.views=["plain", "flip"]', "trained on mirror images too"),
    ('features.views=["plain", "flip", "crop1", "crop2"]', "trained on mirror images and two crops too"),
    ('features.views=["plain", "color"]', "trained on other colors too"),
    ('features.views=["plain", "erase"]', "trained with a part erased too"),
    ('features.views=["plain", "rotate"]', "trained on rotated images too"),
    ("training.scale_features=false", "features not standardized"),
    ("training.color_share=0", "every scaled feature alike"),
    ("training.l2=0", "no penalty"),
    ("training.pos_weight_power=1", "pos_weight = negatives / positives"),
    ("training.pos_weight_power=0", "no pos_weight"),
    ("training.schedule=constant", "constant learning rate"),
    ("training.patience=0", "no early stopping: all 60 epochs"),
    ("training.loss=focal", "focal loss"),
    ("training.loss=asymmetric", "asymmetric loss"),
    ("training.loss=partial_asymmetric", "asymmetric loss that uses unknown labels"),
)


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--only", default="", help="rows whose setting begins so")
    given = parser.parse_args()
    rows = [row for row in ROWS if row[0].startswith(given.only)]
    scores = []
    for setting in ("", *(setting for setting, _ in rows)):
        bench = open_bench(given, [setting] if setting else [])
        held_out, evidence = bench.relearn(bench.data.targets)
        scores.append((evidence.mean_ap.value, held_out.ranked()))
        print(f"{setting or 'defaults'}: {scores[-1][0]:.4f}", file=sys.stderr)
    data = bench.data
    print(f"The defaults: mean AP {scores[0][0]:.3f}.\n")
    print("| setting | what it changes | mean AP | difference, 95% interval |\n|---|---|---:|---:|")
    for (setting, meaning), (ap, ranked) in zip(rows, scores[1:], strict=True):
        gap = compare(data.targets, ranked, scores[0][1], data.attributes, data.groups).difference
        print(
            f"| `{setting}` | {meaning} | {ap:.3f} | {gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}) |"
        )


if __name__ == "__main__":
    main()
