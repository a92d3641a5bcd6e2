"""Where the tokens of a vision transformer lie in its image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openvino as ov

MOST_EXTRA = 16
"""Class, distillation and register tokens that come before the patches; more are not in use."""


class MisfitTokens(Exception):
    """A number of tokens that no grid of patches explains."""


@dataclass(frozen=True)
class Grid:
    """`prefix` tokens for the image as a whole, then one for each of `rows` x `columns` patches, row by row.

    The first of the prefix is the class token; the others are registers, which hold nothing of their own
    (Darcet, Oquab, Mairal and Bojanowski, "Vision Transformers Need Registers", ICLR 2024).
    """

    prefix: int
    rows: int
    columns: int
    patch: tuple[int, int]
    """Height and width in pixels."""


def token_grid(graph: ov.Model, tokens: int, size: tuple[int, int]) -> Grid:
    """Find the grid from the convolution that embeds the patches: its kernel is as large as its stride.

    A transformer that merges patches (Swin) ends with fewer tokens, a power of 4 times fewer, and no prefix.

    Args:
        graph: with known shapes.
        tokens: how many there are.
        size: height and width in pixels of the images.

    Raises:
        MisfitTokens: no grid explains their number.

    """
    height, width = size
    embedded = _embedded(graph)
    if embedded is not None:
        rows, columns = embedded
        prefix = tokens - rows * columns
        if 0 <= prefix <= MOST_EXTRA:
            return Grid(prefix, rows, columns, (height // rows, width // columns))
        while rows % 2 == columns % 2 == 0 and rows * columns > tokens:
            rows, columns = rows // 2, columns // 2
            if rows * columns == tokens:
                return Grid(0, rows, columns, (height // rows, width // columns))
    raise MisfitTokens(f"its {tokens} tokens are not those of the patches of {height} x {width} pixels")


def _embedded(graph: ov.Model) -> tuple[int, int] | None:
    """Rows and columns of the first convolution that cuts an image into patches."""
    for node in graph.get_ordered_ops():
        if node.get_type_name() != "Convolution":
            continue
        kernel = [axis.get_length() for axis in node.input_value(1).get_partial_shape()][2:]
        if len(kernel) == 2 and kernel == list(node.get_attributes()["strides"]) and max(kernel) > 1:
            shape = node.output(0).get_partial_shape()
            return int(shape[2].get_length()), int(shape[3].get_length())
    return None
