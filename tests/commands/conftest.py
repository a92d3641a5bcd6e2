"""The fixtures of sweeps and of the tracking store."""

from ..serving.conftest import make_package, package  # noqa: F401
from ..sweeping.conftest import SETTINGS, make_trial, space  # noqa: F401
from ..tracking.conftest import empty_store, store  # noqa: F401
