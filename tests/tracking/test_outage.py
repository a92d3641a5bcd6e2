"""What is an outage and what is a refusal, and that no password is in either's sentence."""

from __future__ import annotations

import sqlite3
import traceback

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import OperationalError

from aimonk.errors import StoreAwayError, TrackingError
from aimonk.tracking.outage import is_away, masked, store_errors
from tests.tracking.tracking_server import free_port


def rest(code: str) -> RestException:
    return RestException({"error_code": code, "message": "from the server"})


def download_failed(why: str) -> MlflowException:
    """As MLflow reports files of an artifact that could not be fetched."""
    start = "The following failures occurred while downloading one or more artifacts from mlflow-artifacts:/1"
    return MlflowException(f"{start}:\n##### File model.bin #####\n{why}")


def locked_by_sqlalchemy() -> OperationalError:
    return OperationalError("INSERT", {}, sqlite3.OperationalError("database is locked"))


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("refused"),
        requests.Timeout("timed out"),
        ConnectionResetError(),
        rest("TEMPORARILY_UNAVAILABLE"),
        rest("INTERNAL_ERROR"),
        rest("REQUEST_LIMIT_EXCEEDED"),
        sqlite3.OperationalError("database is locked"),
        locked_by_sqlalchemy(),
        OperationalError("SELECT", {}, Exception("connection to server failed")),
        download_failed("HTTPConnectionPool(host='a', port=80): Max retries exceeded with url: /api"),
        download_failed("('Connection broken: IncompleteRead(7 bytes read, 9 more expected)')"),
        download_failed("503 Server Error: SERVICE UNAVAILABLE for url: http://a/api"),
    ],
    ids=repr,
)
def test_what_may_pass(error: Exception) -> None:
    assert is_away(error)
    with pytest.raises(StoreAwayError), store_errors():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        rest("PERMISSION_DENIED"),
        rest("RESOURCE_DOES_NOT_EXIST"),
        MlflowException("wrong name"),
        download_failed("404 Client Error: NOT FOUND for url: http://a/api"),
        sqlite3.DatabaseError("file is not a database"),
        OperationalError("INSERT", {}, sqlite3.OperationalError("attempt to write a readonly database")),
        OSError(28, "No space left on device"),
    ],
    ids=repr,
)
def test_what_stays(error: Exception) -> None:
    assert not is_away(error)
    with pytest.raises(TrackingError) as caught, store_errors():
        raise error
    assert not isinstance(caught.value, StoreAwayError)


def test_what_led_to_an_error_counts() -> None:
    try:
        try:
            raise requests.ConnectionError("refused")
        except requests.ConnectionError:
            raise MlflowException("API request failed")  # noqa: B904  as MLflow does
    except MlflowException as error:
        assert is_away(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://anna:secret@db:5432/m is away", "postgresql://***@db:5432/m is away"),
        ("https://anna:p@ss/word@host/path", "https://***@host/path"),
        ("https://token@host", "https://***@host"),
        (
            "http://host:5000/a and models:/dresses@champion",
            "http://host:5000/a and models:/dresses@champion",
        ),
        ("s3://bucket/run@1", "s3://bucket/run@1"),
    ],
)
def test_passwords_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@given(st.from_regex(r"[!-~]{12}", fullmatch=True))
def test_no_password_survives(password: str) -> None:
    assert password not in masked(f"failed at mysql://anna:{password}@host/db (code 3)")


def test_a_dead_server_is_one_sentence_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://anna:secret@127.0.0.1:{free_port()}")
    refused = pytest.raises(StoreAwayError, match="the connection is refused; check that it runs")
    with refused as caught, store_errors():
        MlflowClient().get_run("1" * 32)
    assert "secret" not in "".join(traceback.format_exception(caught.value))


def test_a_denied_request_says_what_to_ask_for() -> None:
    refused = pytest.raises(TrackingError, match="denies this user runs/create; ask for permission to edit")
    with refused, store_errors():
        message = "API request to endpoint /api/2.0/mlflow/runs/create failed with error code 403 != 200"
        raise MlflowException(message, error_code=PERMISSION_DENIED)
