"""The names of predefined sets."""

from __future__ import annotations

_SET_OF = {
    **dict.fromkeys(("train", "training", "trn", "tr", "learn"), "train"),
    **dict.fromkeys(("validation", "val", "valid", "dev", "development", "validate"), "validation"),
    **dict.fromkeys(
        ("test", "testing", "tst", "holdout", "hold-out", "held-out", "eval", "evaluation"), "test"
    ),
}
_NUMBERED = {"0": "train", "1": "validation", "2": "test"}
"""As CelebA's list_eval_partition.txt has them."""

COLUMNS = (
    "split",
    "set",
    "partition",
    "subset",
    "fold_set",
    "datasplit",
    "data_split",
    "dataset_split",
    "phase",
)
"""Columns, without regard to case, that hold sets if all their cells do."""


def set_named(token: str) -> str | None:
    """Return train, validation or test for one of its usual names, in any case; None for anything else.

    >>> set_named("Training"), set_named("dev"), set_named("2"), set_named("red")
    ('train', 'validation', 'test', None)
    """
    token = token.strip().casefold()
    return _SET_OF.get(token) or _NUMBERED.get(token.removesuffix(".0"))
