"""A model's graph with the tensors that its features are pooled from as further outputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .affine_head import AffineHead, read_head
from .pooled_terms import Term, find_terms

if TYPE_CHECKING:
    import openvino as ov


@dataclass(frozen=True)
class Tapped:
    """A term, and which of the graph's outputs holds its values; None for features without a place."""

    term: Term
    output: int | None


@dataclass(frozen=True)
class ExplainedGraph:
    """The graph's outputs are the logits, the features, and then the values of all terms."""

    graph: ov.Model
    head: AffineHead
    terms: tuple[Tapped, ...]


def explained(graph: ov.Model, grid: tuple[int, int]) -> ExplainedGraph:
    """Add outputs to a model's graph, which is changed.

    Large maps are averaged within the cells of the grid first, since writing them out would take longer than
    the network. OpenVINO computes in bf16 only what leads to a matrix product; these means do not.

    Raises:
        ModelError: the model does not end in an affine map.
    """
    head = read_head(graph)
    outputs: dict[str, Any] = {"logits": graph.output(0), "features": head.features}
    terms = []
    for term in find_terms(head.features):
        if not term.layout:
            terms.append(Tapped(term, None))
            continue
        block = block_size(term, grid)
        name = f"{term.values.get_node().get_name()}:{term.values.get_index()}:{block}"
        if name not in outputs:
            outputs[name] = _averaged(term, block)
        terms.append(Tapped(_in_blocks(term, block), list(outputs).index(name)))
    graph.add_outputs(list(outputs.values())[1:])
    return ExplainedGraph(graph, head, tuple(terms))


def block_size(term: Term, grid: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of positions to average: as many as fit into a cell, and into the margins."""
    if term.layout not in ("NHWC", "NCHW"):
        return 1, 1
    first = term.layout.index("H")
    shape = term.values.get_partial_shape()
    sides = [int(shape[axis].get_length()) for axis in (first, first + 1)]
    extents = term.window[2] - term.window[0], term.window[3] - term.window[1]
    if term.margins != (0, 0):
        extents = 1.0, 1.0  # the values are the whole map
    found = [
        _largest(side, margin, round(cells * extent))
        for side, margin, cells, extent in zip(sides, term.margins, grid, extents, strict=True)
    ]
    return found[0], found[1]


def _largest(side: int, margin: int, cells: int) -> int:
    """The largest block that divides side and margin into wholes, so that no cell is cut."""
    fits = [b for b in range(1, side + 1) if side % b == margin % b == 0 and (side // b) % cells == 0]
    return max(fits, default=1)


def _averaged(term: Term, block: tuple[int, int]) -> ov.Output:
    from openvino import opset13 as ops

    if block == (1, 1):
        return term.values
    values = term.values
    if term.layout == "NHWC":
        values = ops.transpose(values, [0, 3, 1, 2])
    pooled = ops.avg_pool(values, list(block), [0, 0], [0, 0], list(block), True)
    return pooled.output(0)


def _in_blocks(term: Term, block: tuple[int, int]) -> Term:
    """The same term of the averaged values: a block stands for as many positions as it has."""
    if block == (1, 1):
        return term
    margins = term.margins[0] // block[0], term.margins[1] // block[1]
    return replace(term, layout="NCHW", weight=term.weight * block[0] * block[1], margins=margins)
