"""What went wrong with the tracking store: is it away for a while, and how to say so in one sentence."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
import requests
from mlflow.exceptions import MlflowException, RestException
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from ..errors import StoreAwayError, TrackingError

_BUSY = ("TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED")
"""MLflow's error codes of a store that works, only not now."""

_ABSENT = frozenset(("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"))
_DENIED = ("PERMISSION_DENIED", "CUSTOMER_UNAUTHORIZED", "UNAUTHENTICATED")
_BUSY_STATUS = frozenset({408, 429, 500, 502, 503, 504})
_BROKEN_DOWNLOAD = re.compile(
    r"failures occurred while downloading.*(Connection|Max retries|timed out|IncompleteRead|Response ended|"
    r"too many 5\d\d|50[0234] Server Error)",
    re.DOTALL,
)
"""MLflow tells why files could not be fetched in the text of its error only."""
_SECRET = re.compile(r"(?<=://)(?:[^\s@]*:\S*|[^\s/@]+)@")


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn what MLflow and its database raise into one sentence.

    Raises:
        StoreAwayError: the store does not answer, is overloaded, or its database is locked.
        TrackingError: it answers, but refuses.
    """
    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        found = _sentence(error)
        # The original error names the store with its password, so it must not show up in a traceback.
        raise found from (None if masked(str(error)) != str(error) else error)


def masked(text: str) -> str:
    """Return the text without the user and the password of any URI in it.

    >>> masked("postgresql://anna:secret@db/mlflow is away")
    'postgresql://***@db/mlflow is away'
    """
    return _SECRET.sub("***@", text)


def is_away(error: BaseException) -> bool:
    """Whether an error of MLflow or its database may go away by itself.

    An SQLite file is away only while another process has locked it; a full disk or a damaged file stays.
    """
    causes = list(_causes(error))
    for cause in causes:
        original = cause.orig if isinstance(cause, DBAPIError) else cause
        if isinstance(original, sqlite3.Error):
            return "locked" in str(original)
    return any(_is_away(cause) for cause in causes)


def _is_away(cause: BaseException) -> bool:
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        return cause.response.status_code in _BUSY_STATUS
    if isinstance(cause, RestException):
        return int(cause.get_http_status_code()) in _BUSY_STATUS
    if isinstance(cause, MlflowException):
        return cause.error_code in _BUSY or bool(_BROKEN_DOWNLOAD.search(str(cause)))
    network = (requests.ConnectionError, requests.Timeout, requests.exceptions.RetryError)
    broken = (requests.exceptions.ChunkedEncodingError, ConnectionError, TimeoutError, OperationalError)
    return isinstance(cause, (*network, *broken))


def _sentence(error: Exception) -> TrackingError:
    store = f"The tracking store {masked(mlflow.get_tracking_uri())} cannot be used"
    if is_away(error):
        return StoreAwayError(f"{store}: {_reason(error)}; check that it runs, and MLFLOW_TRACKING_URI.")
    if any(_is_denied(cause) for cause in _causes(error)):
        endpoint = re.search(r"/mlflow/([\w/-]+)", str(error))
        return TrackingError(
            f"{store}: it denies this user {endpoint[1] if endpoint else 'access'}; ask for permission to "
            "edit the experiment and the model, or log in as another user with MLFLOW_TRACKING_USERNAME."
        )
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if any(isinstance(cause, MlflowException) and cause.error_code in _ABSENT for cause in _causes(error)):
        said = masked(lines[0]).rstrip(".")[:300].replace("RESOURCE_DOES_NOT_EXIST: ", "")
        where = masked(mlflow.get_tracking_uri())
        return TrackingError(
            f"The tracking store {where} has no such thing ({said}); check the name or the id, and "
            "MLFLOW_TRACKING_URI."
        )
    return TrackingError(f"{store}: {masked(lines[0]).rstrip('.')[:300]}; check MLFLOW_TRACKING_URI.")


def _is_denied(cause: BaseException) -> bool:
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        return cause.response.status_code in (401, 403)
    return isinstance(cause, MlflowException) and cause.error_code in _DENIED


def _reason(error: Exception) -> str:
    """Say in a few words why the store is away; network errors bury that in pages."""
    text = " ".join(str(cause) for cause in _causes(error))
    for sign, reason in (
        ("timed out", "it does not answer"),
        ("refused", "the connection is refused"),
        ("locked", "its database is locked by another process"),
        ("Name or service not known", "its host name is not known"),
        ("Failed to resolve", "its host name is not known"),
    ):
        if sign in text:
            return reason
    if status := re.search(r"too many (\d{3}) error responses", text):
        return f"it answers with status {status[1]}"
    return masked((str(error).strip().splitlines() or [type(error).__name__])[0]).rstrip(".")[:300]


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
