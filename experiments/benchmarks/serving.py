"""Measure what serving costs: latency over in-process calls, start, memory, and the environment it needs.

    python experiments/benchmarks/serving.py [--photos DIR] [--requests 60] [--repeats 5] [--environment]

Trains a frozen ResNet50 with random weights and serves it by `mlflow models serve`, in a process of its own:

- latency: one full-size photo, that of median size and the largest, as base64 JSON over HTTP, in turn with
  blocks of the same `predict` in process
- start: seconds until `/ping` answers, in turn with those of a pyfunc model that returns its input's length
- memory: resident, of all the server's processes, after the requests, over that of the trivial one
- rate: one table of all photos through `predict`, in turn with `score` of the same files
- with `--environment`, which downloads some 2 GB: what the model's own requirements install, in MB, against
  what training installs
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from server import serving
from trials import ROOT, SHARED, Place, arguments, in_turn, new_place, print_table

TRIVIAL = """
import mlflow
class Trivial(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [len(model_input)]
mlflow.models.set_model(Trivial())
"""
BLOCK = 10
"""Requests of one kind in a row."""
REQUESTS = 30
"""Before memory is looked at."""


def started(place: Place, model: str, body: bytes, asked: int) -> tuple[float, float]:
    """Seconds until ready, and memory after so many requests."""
    with serving(place, model) as server:
        for _ in range(asked):
            server.ask(body)
        return server.ready, server.memory()


def latencies(place: Place, model: Path, photo: Path, asked: int) -> dict[str, list[float]]:
    """Milliseconds served and in process, in blocks that take turns; the first of each block warms up."""
    import mlflow
    import pandas as pd

    table = pd.DataFrame({"image": [photo.read_bytes()]})
    loaded = mlflow.pyfunc.load_model(str(model))

    def in_process() -> float:
        began = time.perf_counter()
        loaded.predict(table)
        return time.perf_counter() - began

    with serving(place, str(model)) as server:
        body = request(photo)
        asking = {"served": lambda: server.ask(body), "in process": in_process}
        blocks = {name: lambda ask=ask: [ask() for _ in range(BLOCK + 1)][1:] for name, ask in asking.items()}
        results = in_turn(blocks, -(-asked // BLOCK))
    return {name: [1000 * one for block in taken for one in block] for name, taken in results.items()}


def request(photo: Path) -> bytes:
    """The body of a request for one photo."""
    text = base64.b64encode(photo.read_bytes()).decode()
    return json.dumps({"dataframe_split": {"columns": ["image"], "data": [[text]]}}).encode()


def trained_model(place: Place, data: Path) -> Path:
    """The folder of a model that `aimonk train` logged."""
    config = "notebook"
    done = place.aimonk("train", "--config", config, "--data", data.resolve(), "--weights", "none", "--json")
    code = "import mlflow, sys; print(mlflow.artifacts.download_artifacts(sys.argv[1]))"
    return Path(place.python("-c", code, done.answer["model_uri"]).output.split("\n")[0])


def trivial_model(place: Place) -> Path:
    """The folder of a model that does nothing."""
    code, folder = place.folder / "trivial.py", place.folder / "trivial"
    code.write_text(TRIVIAL)
    save = (
        "import mlflow, sys; "
        "mlflow.pyfunc.save_model(sys.argv[1], python_model=sys.argv[2], pip_requirements=['mlflow'])"
    )
    place.python("-c", save, folder, code)
    return folder


def installed(requirements: Path) -> float:
    """MB of what the requirements install, in a folder of its own.

    SystemExit where the model's own ones bring TensorFlow.
    """
    with tempfile.TemporaryDirectory(prefix="aimonk-environment-") as folder:
        install = ["-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, "--target", folder]
        subprocess.run([sys.executable, *install, "-r", str(requirements)], check=True)
        if requirements.parent != ROOT and (Path(folder) / "tensorflow").exists():
            raise SystemExit("The model's environment holds TensorFlow.")
        return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6


def rates(folder: Path, photos: Path, repeats: int) -> list[list[object]]:
    """Images a second of one large table through `predict`, against `score`; and the check of digests."""
    import mlflow
    import pandas as pd

    from aimonk.runtime.package_digests import check_digests
    from aimonk.runtime.predictor import Predictor
    from aimonk.serving.batch_scoring import score

    paths = sorted(path for path in photos.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg"))
    table = pd.DataFrame({"image": [path.read_bytes() for path in paths]})
    loaded = mlflow.pyfunc.load_model(str(folder))
    package = next(folder.glob("artifacts/*/attributes.json")).parent

    def timed(act: Callable[[], object]) -> float:
        began = time.perf_counter()
        act()
        return time.perf_counter() - began

    with Predictor(package, throughput=True) as predictor, tempfile.TemporaryDirectory() as out:
        files = Path(out) / "images"
        files.mkdir()
        for number, path in enumerate(paths):
            shutil.copy(path, files / f"{number:06d}.jpg")
        contestants: dict[str, Callable[[], float]] = {
            "predict": lambda: timed(lambda: loaded.predict(table)),
            "score": lambda: timed(lambda: score(predictor, files, Path(out) / "scores.parquet")),
        }
        for act in contestants.values():
            act()
        taken = in_turn(contestants, repeats)
    predict, scored = (len(paths) / float(median(taken[name])) for name in ("predict", "score"))
    check, load = timed(lambda: check_digests(package)), timed(lambda: Predictor(package))
    return [
        [f"{len(paths)} photos through predict, per s, against score", predict, scored,
         f"{predict / scored:.2f} times", "at least 0.95"],
        ["check of digests, s, against loading", check, load, f"{check / load:.2f} times", ""],
    ]  # fmt: skip


def starts(place: Place, models: dict[str, Path], body: bytes, repeats: int) -> list[list[object]]:
    """Rows of start and memory."""
    contestants = {
        name: lambda model=model: started(place, str(model), body, REQUESTS) for name, model in models.items()
    }
    results = in_turn(contestants, repeats)
    ready, memory = ([float(median(one[i] for one in pairs)) for pairs in results.values()] for i in (0, 1))
    return [
        ["start, s, against a trivial model", *ready, f"{ready[0] / ready[1]:.2f} times", "1.5 times"],
        ["memory, MB, against a trivial model", *memory, f"{memory[0] - memory[1]:+.0f} MB", "+450 MB"],
    ]


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--photos", type=Path, default=SHARED / "data" / "aimonk_full_size" / "images")
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--environment", action="store_true")
    given = parser.parse_args()
    by_size = sorted(given.photos.glob("*"), key=lambda path: path.stat().st_size)
    rows: list[list[object]] = []
    with new_place() as place:
        models = {"aimonk": trained_model(place, given.data), "trivial": trivial_model(place)}
        for name, photo in (("median", by_size[len(by_size) // 2]), ("largest", by_size[-1])):
            taken = latencies(place, models["aimonk"], photo, given.requests)
            served, direct = (float(median(taken[way])) for way in ("served", "in process"))
            what = f"the {name} photo, {photo.stat().st_size / 1e3:.0f} kB, ms, against in process"
            rows.append([what, served, direct, f"{served / direct:.2f} times", "1.3 times"])
        rows += rates(models["aimonk"], given.data, given.repeats)
        rows += starts(place, models, request(by_size[-1]), given.repeats)
        if given.environment:
            sizes = [installed(folder / "requirements.txt") for folder in (models["aimonk"], ROOT)]
            ratio = f"{sizes[0] / sizes[1]:.2f} times"
            rows.append(["environment, MB, against that of training", *sizes, ratio, "0.33 times"])
    print_table(["what", "served", "against", "result", "goal, at most"], rows)


if __name__ == "__main__":
    main()
