"""Which images are not independent: copies of one photo, and the groups that a user names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def independent_groups(copies: np.ndarray, named: Sequence[str]) -> np.ndarray:
    """Return the group of each image, `(N,) int64`, numbered from 0 in the order of first images.

    Two images are in one group if a chain of images connects them of which each two neighbors are copies or
    share a name. These are the connected components of the graph whose nodes are the groups of copies and
    the names, with an edge for each image between the two it belongs to.

    >>> independent_groups(np.array([0, 1, 1, 2]), ["a", "a", "b", ""]).tolist()
    [0, 0, 0, 1]

    Args:
        copies: `(N,)` numbers, equal for copies of one photo.
        named: The user's group of each image; images with an empty one share no name with any other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    copy = np.unique(copies, return_inverse=True)[1]
    number_of: dict[str, int] = {}
    in_group = np.array([bool(name) for name in named], bool)
    name = np.array([number_of.setdefault(name, len(number_of)) for name in named], np.int64)
    start = int(copy.max(initial=-1)) + 1
    nodes = start + len(number_of)
    edges = (np.ones(int(in_group.sum())), (copy[in_group], start + name[in_group]))
    component = connected_components(coo_array(edges, shape=(nodes, nodes)), directed=False)[1]
    _, first, group = np.unique(component[copy], return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[group], np.int64)
