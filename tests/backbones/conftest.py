"""The fixtures of features, for the rooms below it."""

from ..features.conftest import Files, colors, config, gray_images, mean_color_graph  # noqa: F401
