"""Losses of fine-tuning for labels of which some are missing, computed from logits.

A cell is one image and one attribute. A cell loss takes `targets (..., L)` holding 1, 0, MISSING or PADDING,
`logits (..., L)`, `pos_weight (L,)` and `prevalence (L,)`, and returns `(..., L)`. `mean_over_known` turns
cells into the loss of a batch: the sum of all cell losses divided by the number of known cells, so that
missing labels do not change its scale. A batch without a known cell has the loss 0.

`linear_probe.cell_losses` has the same losses in NumPy; a test keeps the two equal.

Notation: x logit, p = sigmoid(x), y target, w pos_weight.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..data.labels import MISSING
from .backend import tf

PADDING = -2.0
"""Target of the cells of a row that only pads a batch. Unlike a missing label, no loss ever uses it."""
Tensor = Any
CellLoss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def weighted_bce(targets: Tensor, logits: Tensor, pos_weight: Tensor, prevalence: Tensor) -> Tensor:
    """Binary cross-entropy whose positives weigh `w`: `-w y log p - (1 - y) log(1 - p)`, NA cells 0.

    With -log p = softplus(-x) and -log(1 - p) = softplus(x) it is exact for any logit, and so is its
    gradient; that of `tf.nn.weighted_cross_entropy_with_logits` is wrong at x = 0, as of a head of zeros.
    """
    known, y, x = _known(targets, logits)
    cells = tf.where(y > 0, pos_weight * tf.math.softplus(-x), tf.math.softplus(x))
    return tf.where(known, cells, 0.0)


def focal(
    targets: Tensor, logits: Tensor, pos_weight: Tensor, prevalence: Tensor, *, gamma: float = 2.0
) -> Tensor:
    """Focal loss: `-a (1 - q)^gamma log q`, q = p for positives, 1 - p for negatives; NA cells 0.

    Lin, Goyal, Girshick, He, Dollar, "Focal Loss for Dense Object Detection", ICCV 2017, equation 5. The
    balance `a` is `w` for positives and 1 for negatives, so `pos_weight_power = 0` is equation 4. With
    s = x for positives and -x for negatives, q = sigmoid(s) and 1 - q = sigmoid(-s), both taken from their
    logarithms, which never overflow.
    """
    known, y, x = _known(targets, logits)
    s = tf.where(y > 0, x, -x)
    focus = tf.exp(gamma * tf.math.log_sigmoid(-s))
    return tf.where(known, -tf.where(y > 0, pos_weight, 1.0) * focus * tf.math.log_sigmoid(s), 0.0)


def asymmetric(
    targets: Tensor,
    logits: Tensor,
    pos_weight: Tensor,
    prevalence: Tensor,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 4.0,
    shift: float = 0.05,
) -> Tensor:
    """Asymmetric loss: `-w (1 - p)^g+ log p` for positives, `-r^g- log(1 - r)` for negatives; NA cells 0.

    r = max(p - shift, 0) discards negatives that are easy enough. Ridnik, Ben-Baruch, Zamir, Noy,
    Friedman, Protter, Zelnik-Manor, "Asymmetric Loss For Multi-Label Classification", ICCV 2021, equations
    4 to 7 (there w = 1), with the paper's g+ = 0, g- = 4, shift = 0.05.
    """
    known, y, x = _known(targets, logits)
    positive = pos_weight * _focused_positive(x, gamma_positive)
    cells = tf.where(y > 0, positive, _focused_negative(x, gamma_negative, shift))
    return tf.where(known, cells, 0.0)


def partial_asymmetric(
    targets: Tensor,
    logits: Tensor,
    pos_weight: Tensor,
    prevalence: Tensor,
    *,
    gamma_positive: float = 0.0,
    gamma_negative: float = 1.0,
    gamma_unknown: float = 2.0,
    common: float = 0.5,
) -> Tensor:
    """Selective partial asymmetric loss: NA cells count as weak negatives, unless they may well be positive.

    Known cells: `-w (1 - p)^g+ log p` and `-p^g- log(1 - p)`. NA cells: `-o p^gu log(1 - p)`, where o = 0,
    so that the cell is ignored, if the attribute is common (prevalence above `common`) or if p is among the
    image's K largest, and 1 otherwise. Ben-Baruch, Ridnik, Friedman, Ben-Cohen, Zamir, Noy, Zelnik-Manor,
    "Multi-label Classification with Partial Annotations using Class-aware Selective Loss", CVPR 2022,
    equations 4 to 9 (there w = 1). Departures, since the paper has 9,600 classes and aimonk a few: K is a
    quarter of the attributes (at least 1), and the prevalence is that of the known training labels.
    """
    positive = pos_weight * _focused_positive(logits, gamma_positive)
    negative = _focused_negative(logits, gamma_negative, 0.0)
    unknown = _focused_negative(logits, gamma_unknown, 0.0)
    attributes = tf.shape(logits)[-1]
    least = tf.math.top_k(logits, tf.maximum(attributes // 4, 1)).values[..., -1:]
    counted = (targets == MISSING) & (logits < least) & (prevalence <= common)
    return tf.where(targets > 0, positive, tf.where(targets == 0, negative, tf.where(counted, unknown, 0.0)))


LOSSES: Mapping[str, CellLoss] = {
    "weighted_bce": weighted_bce,
    "focal": focal,
    "asymmetric": asymmetric,
    "partial_asymmetric": partial_asymmetric,
}
"""The losses by their name in `training.loss`."""


def mean_over_known(cells: Tensor, targets: Tensor) -> Tensor:
    """Sum of `cells (B, L)` over the number of known cells in `targets (B, L)`; 0 if none is known."""
    return tf.math.divide_no_nan(tf.reduce_sum(cells), known_cells(targets))


def known_cells(targets: Tensor) -> Tensor:
    """How many cells of `targets` are 1 or 0, as a float32 scalar."""
    return tf.reduce_sum(tf.cast(targets >= 0, tf.float32))


def batch_loss(name: str) -> CellLoss:
    """The scalar loss of a batch, `(targets, logits, pos_weight, prevalence) -> ()`, for a name in LOSSES."""
    cell_loss = LOSSES[name]

    def loss(targets: Tensor, logits: Tensor, pos_weight: Tensor, prevalence: Tensor) -> Tensor:
        return mean_over_known(cell_loss(targets, logits, pos_weight, prevalence), targets)

    return loss


def _known(targets: Tensor, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Which cells are known, and targets and logits with harmless zeros elsewhere.

    Replacing the logit too, and not only the loss, makes the gradient of a missing label exactly 0 even where
    its own loss would be infinite.
    """
    known = targets >= 0
    return known, tf.where(known, targets, 0.0), tf.where(known, logits, 0.0)


def _focused_positive(logits: Tensor, gamma: float) -> Tensor:
    """`-(1 - p)^gamma log p`."""
    loss = -tf.math.log_sigmoid(logits)
    return loss * tf.exp(gamma * tf.math.log_sigmoid(-logits)) if gamma else loss


def _focused_negative(logits: Tensor, gamma: float, shift: float) -> Tensor:
    """`-r^gamma log(1 - r)` with r = max(p - shift, 0); without a shift all of it from logarithms."""
    if not shift:
        return -tf.exp(gamma * tf.math.log_sigmoid(logits)) * tf.math.log_sigmoid(-logits)
    shifted = tf.nn.relu(tf.sigmoid(logits) - shift)
    return -tf.pow(shifted, gamma) * tf.math.log1p(-shifted)
