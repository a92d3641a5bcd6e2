"""The fixtures of model packages and of images."""

from ..data.conftest import encode, photo  # noqa: F401
from ..serving.conftest import HEAD, color_info, make_package, mean_color, package, plain_image  # noqa: F401
