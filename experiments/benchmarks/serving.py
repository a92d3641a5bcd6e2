"""Measure what serving costs: latency over in-process calls, start, memory, and the environment it needs.

    python experiments/benchmarks/serving.py [--photos DIR] [--requests 60] [--repeats 5] [--environment]

Trains a frozen ResNet50 with random weights and serves it by `aimonk serve` and by `mlflow models serve`,
in processes of their own:

- latency: one full-size photo, that of median size and the largest, in blocks that take turns: as it is to
  `aimonk serve`, as base64 in JSON to both servers, and to the same `predict` in process
- start: seconds until `/ping` answers, in turn with those of a pyfunc model that returns its input's length
- memory: resident, of all the server's processes, after the requests, over that of the trivial one
- with `--environment`, which downloads some 2 GB: what the model's own requirements install, in MB, against
  what training installs
"""

from __future__ import annotations

import base64
import json
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

    body, whole = request(photo), photo.read_bytes()
    with serving(place, str(model), "aimonk") as ours, serving(place, str(model)) as mlflows:
        asking: dict[str, Callable[[], float]] = {
            "in process": in_process,
            "aimonk serve, as it is": lambda: ours.ask(whole, "image/jpeg"),
            "aimonk serve, JSON": lambda: ours.ask(body),
            "mlflow models serve, JSON": lambda: mlflows.ask(body),
        }
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
            size, direct = f"{photo.stat().st_size / 1e3:.0f} kB", float(median(taken.pop("in process")))
            for way, milliseconds in taken.items():
                served = float(median(milliseconds))
                what = f"the {name} photo, {size}, {way}, ms, against in process"
                goal = {"median": "1.2 times", "largest": "1.3 times"}[name] if "as it is" in way else ""
                rows.append([what, served, direct, f"{served / direct:.2f} times", goal])
                print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
        rows += starts(place, models, request(by_size[-1]), given.repeats)
        if given.environment:
            sizes = [installed(folder / "requirements.txt") for folder in (models["aimonk"], ROOT)]
            ratio = f"{sizes[0] / sizes[1]:.2f} times"
            rows.append(["environment, MB, against that of training", *sizes, ratio, "0.33 times"])
    print_table(["what", "served", "against", "result", "goal, at most"], rows)


if __name__ == "__main__":
    main()
