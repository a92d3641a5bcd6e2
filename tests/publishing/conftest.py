"""The fixtures of sweeps and of the tracking store."""

from ..sweeping.conftest import SETTINGS, make_trial, space  # noqa: F401
from ..tracking.conftest import empty_store, store  # noqa: F401
