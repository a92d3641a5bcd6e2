"""Where the evidence for each attribute lies: every logit as a sum over places of the image, exactly.

A model's logits are linear in its features, `z = b + sum_d K_d f_d`, and a feature is pooled over places p:

    a mean of a map m over a window W of n places:      f = sum_{p in W} m_p / n
    a standard deviation over it, with mean mu:         f = sqrt(sum_{p in W} (m_p - mu)^2 / n + e) - sqrt(e)
    a color's root share, attention a_p, shares s_p:    f = sqrt(sum_p a_p s_p + e)

The first is a sum over places already. The other two are roots of a sum Q of parts q_p >= 0, and

    sqrt(Q + e) = sqrt(e) + Q / (sqrt(Q + e) + sqrt(e)),    so place p gets    q_p / (sqrt(Q + e) + sqrt(e)):

its share of the sum, times what the sum adds to the root of nothing. With t_dp the part of feature d at place
p, and c_d what no place accounts for (sqrt(e) of a color; a class token, an embedding that the network puts
out itself),

    z = (b + sum_d K_d c_d) + sum_p sum_d K_d t_dp.

Nothing is approximated. The maps are the network's own: a position stands for the part of the image that it
lies above, though it was computed from a larger part. The attention over colors is held fixed, as the mean mu
is: they say where the model looks, and what it sees there is shared out.

Much of a logit is the same wherever nothing is to be seen, and cancels against the bias. Therefore each place
is compared with the same place of a plain gray image g, whose logit is `z(g)`:

    z = z(g) + sum_p (contribution of p in the image - contribution of p in the gray one)
        + (rest of the image - rest of the gray one).

This holds for every reference image. After Zhou, Khosla, Lapedriza, Oliva and Torralba, "Learning Deep
Features for Discriminative Localization", CVPR 2016, which is the first kind of feature alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .crop_order import crop_first
from .decoder import decode
from .explained_graph import explained
from .inference import read_graph
from .package_digests import check_digests
from .place_grid import rows_and_columns, to_grid
from .pooled_terms import Term
from .record import read_info

CELL = 16
"""Height and width in pixels of the grid's cells, about."""

GRAY = 128


@dataclass(frozen=True)
class Contributions:
    """Where the logits of one image come from: `logits = baseline + elsewhere + places.sum(axis=(1, 2))`.

    `logits`, `baseline` (the logits of a gray image) and `elsewhere` (what has no place) are `(L,) float64`,
    `places` is `(L, rows, columns) float64`.
    """

    logits: np.ndarray
    baseline: np.ndarray
    elsewhere: np.ndarray
    places: np.ndarray


class Explainer:
    """A model package whose graph also puts out the maps that its features are pooled from.

    >>> found = Explainer(package).explain(Path("photo.jpg").read_bytes())  # doctest: +SKIP
    >>> found.places[0].round(2)  # where the first attribute's evidence lies  # doctest: +SKIP

    Args:
        folder: a model package.

    Raises:
        ModelError: the package is absent or broken, or its logits are not linear in pooled features.
    """

    def __init__(self, folder: Path) -> None:
        import openvino

        self.info = read_info(folder)
        check_digests(folder)
        graph = read_graph(folder, self.info)
        height, width = self.info.input_size
        self.grid = max(1, round(height / CELL)), max(1, round(width / CELL))
        self.graph = explained(graph, self.grid)
        crop_first(graph)
        hints = {"INFERENCE_PRECISION_HINT": self.info.precision, "PERFORMANCE_HINT": "LATENCY"}
        self._compiled = openvino.Core().compile_model(graph, "CPU", hints)
        gray = np.full((1, height, width, 3), GRAY, np.uint8)
        (self._gray,) = self._absolute(gray)

    def explain(self, image: bytes) -> Contributions:
        """Explain an encoded image.

        Raises:
            ImagesError: it cannot be read.
        """
        return self.contributions(decode(image, self.info.input_size)[None])[0]

    def contributions(self, images: np.ndarray) -> tuple[Contributions, ...]:
        """Explain `(N, H, W, 3) uint8` RGB images of the package's input size, in one forward pass."""
        gray = self._gray
        return tuple(
            Contributions(
                logits=found.logits,
                baseline=gray.logits,
                elsewhere=found.elsewhere - gray.elsewhere,
                places=found.places - gray.places,
            )
            for found in self._absolute(images)
        )

    def outputs(self, images: np.ndarray) -> list[np.ndarray]:
        """The outputs of `graph` for `(N, H, W, 3) uint8` images."""
        return list(self._compiled(images).values())

    def _absolute(self, images: np.ndarray) -> list[Contributions]:
        """The same without a reference: `baseline` is the bias."""
        answer = self.outputs(images)
        head, count = self.graph.head, len(images)
        features = answer[1].astype(np.float64)
        placed = np.zeros((count, *self.grid, len(head.bias)))
        rest = np.zeros((count, len(head.bias)))
        for tapped in self.graph.terms:
            term = tapped.term
            own = slice(term.start, term.start + term.width)
            if tapped.output is None:
                rest += features[:, own] @ head.kernel[own]
                continue
            values = self._at_places(term, answer[tapped.output])
            factor, constant = _factors(term, values.sum(axis=(1, 2), dtype=np.float64))
            kernel = (factor[:, :, None] * head.kernel[own]).astype(np.float32)  # (N, C, L)
            # Row by row of places: larger products would start threads, which compete with OpenVINO's.
            placed += to_grid(np.matmul(values, kernel[:, None]), term.window, self.grid)
            rest += constant * head.kernel[own].sum(axis=0)
        return [
            Contributions(*row)
            for row in zip(
                answer[0].astype(np.float64),
                np.tile(head.bias, (count, 1)),
                rest,
                np.moveaxis(placed, 3, 1),
                strict=True,
            )
        ]

    def _at_places(self, term: Term, values: np.ndarray) -> np.ndarray:
        """`(N, h, w, C)`: the values at the places in the term's window."""
        if term.layout in ("NTC", "NKTC"):
            tokens = (values if term.layout == "NTC" else values[:, term.index])[:, term.skipped :]
            sides = rows_and_columns(tokens.shape[1], self.info.input_size)
            return tokens.reshape(len(tokens), *sides, tokens.shape[2])
        if term.layout == "NCHW":
            values = np.moveaxis(values, 1, 3)
        (top, left), (rows, columns) = term.margins, values.shape[1:3]
        return values[:, top : rows - top, left : columns - left]


def _factors(term: Term, total: np.ndarray) -> tuple[np.ndarray, float]:
    """What the parts at places are multiplied by, `(N, C)`, and the constant that no place accounts for."""
    if term.offset is None:
        return np.full_like(total, term.weight), term.shift
    root = np.sqrt(np.maximum(term.weight * total, 0) + term.offset)
    return term.weight / (root + term.offset**0.5), term.offset**0.5 + term.shift
