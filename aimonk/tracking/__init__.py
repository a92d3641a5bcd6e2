"""Runs, models and the registry in MLflow."""

import os

# Read by MLflow when it is imported or first used; what the user has set stays.
for _name, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # `patience` tries again. MLflow would repeat a request that a frozen server still has in its queue, and
    # create a version twice.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",  # seconds without a byte, instead of 120
    "PGCONNECT_TIMEOUT": "10",  # where the store is PostgreSQL itself
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}.items():
    os.environ.setdefault(_name, _value)
