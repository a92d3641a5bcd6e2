"""`aimonk doctor`: what is installed, reachable and fast on this machine, and how to fix what is not."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from ..backbones.weights import keras_cache
from ..config import FeaturesConfig
from ..errors import AimonkError
from ..features.cache_key import store_folder
from ..results.doctor_result import Check, DoctorResult, Status
from ..runtime.processors import usable_processors

LEAST_FREE = 2e9
"""Bytes. Below this, weights, features and a model package may not fit."""
OLDEST_JAVA = 17
"""What Spark 4 needs."""


def doctor() -> DoctorResult:
    """Run every check. Nothing is downloaded, and nothing but a temporary file is written.

    A check that itself fails is reported as a problem, so this function raises nothing.

    Examples:
        >>> result = aimonk.doctor()
        >>> [check.fix for check in result.checks if check.fix]  # the commands to run
    """
    return DoctorResult(tuple(_guarded(check) for check in CHECKS))


def _guarded(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:  # a broken installation may raise anything
        name = check.__name__.removeprefix("check_").replace("_", " ")
        return Check(name, Status.PROBLEM, f"the check failed: {type(error).__name__}: {error}")


def check_python() -> Check:
    """Python's version and the machine."""
    machine = f"{platform.system()} {platform.machine()}, {usable_processors()} cores"
    found = f"{platform.python_version()} on {machine}"
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Check("python", Status.OK, found)
    return Check("python", Status.PROBLEM, f"{found}; aimonk supports 3.11 to 3.13", "uv venv --python 3.13")


def check_packages() -> Check:
    """Whether every required package is installed in a version that aimonk accepts."""
    try:
        required = [Requirement(text) for text in metadata.requires("aimonk") or ()]
    except metadata.PackageNotFoundError:
        return Check("packages", Status.PROBLEM, "aimonk itself is not installed", "pip install .")
    wrong = []
    for requirement in required:
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        installed = _version(requirement.name)
        if installed is None or not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name}{requirement.specifier}")
    shown = ("aimonk", "tensorflow", "keras", "openvino", "mlflow", "numpy")
    versions = ", ".join(f"{name} {_version(name) or 'missing'}" for name in shown)
    if not wrong:
        return Check("packages", Status.OK, versions)
    fix = f"pip install {' '.join(repr(name) for name in wrong)}"
    return Check("packages", Status.PROBLEM, f"{versions}; missing or too old: {', '.join(wrong)}", fix)


def check_path() -> Check:
    """Whether the commands of this environment are on the path, which serving needs."""
    scripts = Path(sys.executable).parent
    missing = [name for name in ("aimonk", "mlflow", "uvicorn") if shutil.which(name) is None]
    if not missing:
        return Check("path", Status.OK, "aimonk, mlflow and uvicorn are on the path")
    found = f"{', '.join(missing)} not on the path; `mlflow models serve` needs them"
    return Check("path", Status.PROBLEM, found, f'export PATH="{scripts}:$PATH"')


def check_tracking_store() -> Check:
    """Whether MLflow's tracking store can be reached, or created."""
    from ..tracking.store_check import check_store

    try:
        return Check("tracking store", Status.OK, check_store())
    except AimonkError as error:
        fix = "export MLFLOW_TRACKING_URI=sqlite:///$HOME/mlflow.db"
        return Check("tracking store", Status.PROBLEM, str(error), fix)


def check_feature_store() -> Check:
    """Whether the feature store can be written to, and how large it is."""
    folder = store_folder(FeaturesConfig())
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0
    existing = _existing(folder)
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        found = f"{folder} cannot be written to ({error.strerror})"
        return Check("feature store", Status.PROBLEM, found, "export AIMONK_STORE=$HOME/aimonk-store")
    return Check("feature store", Status.OK, f"{folder}, {size / 1e6:,.0f} MB")


def check_weights() -> Check:
    """Which ImageNet weights Keras has already downloaded."""
    folder = keras_cache()
    files = sorted(file.name for file in folder.glob("*.h5")) if folder.is_dir() else []
    default = FeaturesConfig().backbone
    if any(name.startswith(f"{default}_") for name in files):
        return Check("weights", Status.OK, f"{len(files)} files in {folder}: {', '.join(files)}")
    have = f"; {folder} holds {', '.join(files)}" if files else ""
    found = f"the default's ({default}) are not downloaded yet{have}"
    fix = 'python -c "import keras; keras.applications.ResNet50(include_top=False)"'
    return Check("weights", Status.NOTE, found, fix)


def check_speed() -> Check:
    """Precision and images per second of this processor, with a small network."""
    from ..features.engine_speed import SIDE, images_per_second
    from ..features.engines import has_bf16

    precisions = ("f32", "bf16") if has_bf16() else ("f32",)
    rates = ", ".join(f"{images_per_second(p):,.0f} images/s in {p}" for p in precisions)
    bf16 = "" if len(precisions) > 1 else "; no bf16 arithmetic"
    return Check("speed", Status.OK, f"{rates}{bf16} (layers of mobilenet@0.25, {SIDE} pixels)")


def check_disk() -> Check:
    """Free space here and where features are stored."""
    places = {Path.cwd(), _existing(store_folder(FeaturesConfig())), Path(tempfile.gettempdir())}
    free = {place: shutil.disk_usage(place).free for place in sorted(places)}
    found = ", ".join(f"{size / 1e9:,.0f} GB free at {place}" for place, size in free.items())
    if min(free.values()) >= LEAST_FREE:
        return Check("disk", Status.OK, found)
    fullest = min(free, key=lambda place: free[place])
    found = f"{found}; at least 2 GB are needed at {fullest}"
    return Check("disk", Status.PROBLEM, found, "export AIMONK_STORE=/path/on/a/larger/disk")


def check_spark() -> Check:
    """Whether `--spark` would work: pyspark and a Java that is new enough."""
    if _version("pyspark") is None:
        found = "pyspark is not installed; only --spark needs it"
        return Check("spark", Status.NOTE, found, "pip install 'aimonk[spark]'")
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    fix = "brew install openjdk" if sys.platform == "darwin" else "apt-get install default-jre-headless"
    if java is None:
        return Check("spark", Status.NOTE, "there is no Java; only --spark needs it", fix)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30).stderr
    match = re.search(r'version "(?:1\.)?(\d+)', said)
    version = int(match[1]) if match else 0
    found = f"pyspark {_version('pyspark')}, Java {version or 'of unknown version'}"
    if version >= OLDEST_JAVA:
        return Check("spark", Status.OK, found)
    return Check("spark", Status.NOTE, f"{found}; Spark needs Java {OLDEST_JAVA}", fix)


def check_environments() -> Check:
    """Whether `mlflow run .` can create its environment: with uv, or with conda."""
    found = [name for name in ("uv", "conda") if shutil.which(name)]
    if found:
        return Check("mlflow run", Status.OK, f"environments can be created with {' and '.join(found)}")
    return Check("mlflow run", Status.NOTE, "neither uv nor conda; use --env-manager local", "pip install uv")


CHECKS: tuple[Callable[[], Check], ...] = (
    *(check_python, check_packages, check_path, check_tracking_store, check_feature_store),
    *(check_weights, check_speed, check_disk, check_spark, check_environments),
)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that exists."""
    return next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
