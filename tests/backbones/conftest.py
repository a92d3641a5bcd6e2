"""The fixtures of features, for the rooms below it."""

from ..features.conftest import Files, colours, config, grey_images, mean_color_graph  # noqa: F401
