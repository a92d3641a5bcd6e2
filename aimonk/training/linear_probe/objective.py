"""The loss of a linear probe and its gradient, read block by block from the vectors where they lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...backbones.linear_head import LinearHead
from ...config import TrainingConfig
from ...features.image_vectors import ImageVectors
from ..class_weights import pos_weights, prevalences
from .cell_losses import CELL_LOSSES
from .lanes import ALONE, Lanes
from .scaling import Scaling


@dataclass(frozen=True)
class FilledLabels:
    """Labels of a lower weight, where `targets` has none."""

    targets: np.ndarray
    """`(N, L) float32` of 1, 0 and MISSING."""
    weight: float

    def added_to(self, targets: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Labels of some images with these among them, and the weight of each cell.

        >>> filled = FilledLabels(np.array([[1.0, 0.0]], np.float32), 0.5)
        >>> [a.tolist() for a in filled.added_to(np.array([[-1.0, 1.0]], np.float32), np.array([0]))]
        [[[1.0, 1.0]], [[0.5, 1.0]]]
        """
        own = self.targets[images]
        added = (targets < 0) & (own >= 0)
        return np.where(added, own, targets), np.where(added, np.float32(self.weight), np.float32(1))


@dataclass(frozen=True)
class Objective:
    """What a fit minimizes over the kernel K and the bias b of a head on scaled features:

        (sum over known cells of the cell loss) / (number of known cells) + penalty * sum(K ** 2)

    A label that a model filled in counts in both with its weight; class weights, prevalences and the penalty
    come from the labels of people alone. Unknown labels that `partial_asymmetric` counts are in the sum
    above the line, not in the number below it.
    """

    vectors: ImageVectors
    targets: np.ndarray
    """`(N, L) float32`."""
    scaling: Scaling
    loss: str
    """A name in CELL_LOSSES."""
    pos_weight: np.ndarray
    """`(L,) float32`."""
    prevalence: np.ndarray
    """`(L,) float32`."""
    penalty: float
    filled: FilledLabels | None = None
    """Labels that a model filled in; they take part in the gradient, never in `value`."""
    lanes: Lanes = ALONE
    """The threads that share the rows of a batch."""

    @classmethod
    def of(
        cls,
        vectors: ImageVectors,
        targets: np.ndarray,
        train: np.ndarray,
        config: TrainingConfig,
        filled: FilledLabels | None = None,
        weights: np.ndarray | None = None,
        lanes: Lanes = ALONE,
    ) -> Objective:
        """The objective of `config`, with class weights, scaling and penalty from images `train (n,)`.

        `weights (D,)` are those of scaled features, see `Scaling.of`; the `lanes` share every batch.

        A Gaussian prior on the kernel of a logistic regression adds a constant times `sum(K ** 2)` to the
        *sum* of the losses. If the prior is to expect the same logits however many features there are, the
        variance of a weight falls as 1 / D and the constant grows as D. So with C known training cells

            penalty = l2 * D / C

        and one `l2` fits any number of images, attributes and features.
        """
        known = targets[train]
        cells = max(int((known >= 0).sum()), 1)
        scaled = config.scale_features and len(train)
        return cls(
            vectors=vectors,
            targets=np.asarray(targets, np.float32),
            scaling=Scaling.of(vectors, train, weights, lanes) if scaled else Scaling.none(vectors.width),
            loss=config.loss,
            pos_weight=pos_weights(known, config.pos_weight_power, config.pos_weight_max),
            prevalence=prevalences(known),
            penalty=config.l2 * vectors.width / cells,
            filled=filled,
            lanes=lanes,
        )

    def gradient(
        self, kernel: np.ndarray, bias: np.ndarray, images: np.ndarray, rows: np.ndarray
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Loss of a batch without the penalty, and the gradient of the whole objective by kernel and bias.

        One pass over the batch's vectors; the standardization costs no copy, see `Scaling`.

        Args:
            kernel: `(D, L) float32`, on scaled features.
            bias: `(L,) float32`.
            images: `(n,)` of the batch.
            rows: `(n,)` where their vectors are in `vectors.matrix`.

        Returns:
            The loss, `(D, L) float32` and `(L,) float32`. A batch without a known label has the loss 0.

        """
        head = self.scaling.folded(LinearHead(kernel, bias))
        found = self.lanes.each(lambda part: self._sums(head, images[part], rows[part]), len(rows))
        total, known, by_kernel, by_bias = found[0]
        for more in found[1:]:
            total, known = total + more[0], known + more[1]
            by_kernel += more[2]
            by_bias += more[3]
        count = known or 1
        by_kernel = self.scaling.gradient(by_kernel, by_bias) / np.float32(count)
        by_kernel += np.float32(2 * self.penalty) * kernel
        return (total / count if known else 0.0), by_kernel, by_bias / np.float32(count)

    def value(self, kernel: np.ndarray, bias: np.ndarray, images: np.ndarray) -> float:
        """The loss without the penalty over view 0 of these images."""
        order = images[np.argsort(self.vectors.rows[0, images], kind="stable")]
        head = self.scaling.folded(LinearHead(kernel, bias))
        found = self.lanes.each(lambda part: self._loss(head, order[part]), len(order))
        total, known = (sum(numbers) for numbers in zip(*found, strict=True))
        return total / known if known else 0.0

    def _sums(
        self, head: LinearHead, images: np.ndarray, rows: np.ndarray
    ) -> tuple[float, float, np.ndarray, np.ndarray]:
        """Sums over these images: of losses, of weights of known cells, and F^T R and r of `Scaling`."""
        by_kernel, by_bias = np.zeros_like(head.kernel), np.zeros_like(head.bias)
        total, known = 0.0, 0.0
        for part, block in self.vectors.blocks(rows):
            targets = self.targets[images[part]]
            logits = block @ head.kernel + head.bias
            if self.filled is None:
                losses, slopes = self._cells(targets, logits)
                known += int((targets >= 0).sum())
            else:
                targets, weights = self.filled.added_to(targets, images[part])
                losses, slopes = (cells * weights for cells in self._cells(targets, logits))
                known += float(weights[targets >= 0].sum(dtype=np.float64))
            total += float(losses.sum(dtype=np.float64))
            by_kernel += block.T @ slopes
            by_bias += slopes.sum(axis=0)
        return total, known, by_kernel, by_bias

    def _loss(self, head: LinearHead, images: np.ndarray) -> tuple[float, int]:
        """Sum of losses over view 0 of these images, and the number of known cells."""
        total, known = 0.0, 0
        for part, block in self.vectors.blocks(self.vectors.rows[0, images]):
            targets = self.targets[images[part]]
            losses, _ = self._cells(targets, block @ head.kernel + head.bias)
            total += float(losses.sum(dtype=np.float64))
            known += int((targets >= 0).sum())
        return total, known

    def _cells(self, targets: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return CELL_LOSSES[self.loss](targets, logits, self.pos_weight, self.prevalence)
