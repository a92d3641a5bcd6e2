"""How much the colors weigh beside the features of a network, which may be a thousand or ten thousand."""

from __future__ import annotations

import numpy as np

from ...backbones.color_histogram import palette


def color_weights(features: int, places: int, share: float) -> np.ndarray | None:
    """Factors of standardized features that give the palette its share of their variance.

    Every standardized feature has the variance 1, so the K colors of a palette beside N features of a network
    have K / (K + N) of it: 12% for a small network, 3% for a large one, where they are outvoted, since the
    penalty on the head is the same for all. With the factor w they have

        w^2 K / (w^2 K + N) = share,    so    w = sqrt(share N / ((1 - share) K)).

    Args:
        features: all of them; the last ones are the colors of `places` places, which have that share each.
        places: 0 where there are no colors.
        share: from 0 to 1; 0 leaves all features as they are.

    Returns:
        `(features,) float64`, or None where there is nothing to weigh.

    Example:
        >>> color_weights(6177, 1, 0.125)[[0, 6015, 6016, -1]].round(2).tolist()
        [1.0, 1.0, 2.31, 2.31]

    """
    colors = len(palette())
    others = features - places * colors
    if not places or not share or not others:
        return None
    weights = np.ones(features)
    weights[others:] = np.sqrt(share / (1 - share) * others / colors)
    return weights
