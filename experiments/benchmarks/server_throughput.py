"""Many clients ask a server for minutes; each answer is checked, and the rate compared with in process.

    python experiments/benchmarks/server_throughput.py MODEL [--seconds 180] [--server mlflow] [--form raw]

MODEL is the folder of an MLflow model. Eight clients send requests of 16 images, a tenth of which are
damaged, as base64 in JSON or, with `--form raw`, as a form of files. Every row must be the one that the same
model gives for that image in process: the same error, or probabilities within 1e-4, which is less than
those of any two of the images differ by. In turn with the server, as many threads ask `predict` of the
model in this process, with tables of the same images as bytes. The clients run on the same cores as the
server, so their own work counts against it; bodies are made before the clock starts. The script ends with 1
if an answer is wrong or missing.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import requests
from hostile_images import damaged
from server import Server, serving
from trials import SHARED, in_turn, new_place, print_table

ROWS, POOL, BODIES = 16, 160, 40
BAD = 0.1
TOLERANCE = 1e-4
ROUNDS = 3

Rows = list[tuple[str | None, list[float]]]
"""Error and probabilities of each image."""


@dataclass
class Asked:
    """What a phase came to."""

    images: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """Sixteen images, once as they are and once as a body, and their answers."""

    images: list[bytes]
    body: bytes
    kind: str
    expected: Rows


def pool(folder: Path, seed: int) -> list[bytes]:
    """Photos, a tenth of them damaged."""
    random = np.random.default_rng(seed)
    photos = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))[:POOL]]
    return [damaged(photo, random) if random.random() < BAD else photo for photo in photos]


def prepared(images: list[bytes], answers: Rows, form: str, seed: int) -> list[Request]:
    """Requests with their bodies."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(BODIES):
        chosen = random.integers(0, len(images), ROWS)
        cells = [images[index] for index in chosen]
        made.append(Request(cells, *body(cells, form), [answers[index] for index in chosen]))
    return made


def body(images: list[bytes], form: str) -> tuple[bytes, str]:
    """The body of a request, and its type."""
    if form == "json":
        rows = [[base64.b64encode(image).decode()] for image in images]
        return json.dumps(
            {"dataframe_split": {"columns": ["image"], "data": rows}}
        ).encode(), "application/json"
    files = [("image", (f"{number}.jpg", image)) for number, image in enumerate(images)]
    made = requests.Request("POST", "http://localhost", files=files).prepare()
    assert isinstance(made.body, bytes)
    return made.body, str(made.headers["Content-Type"])


def rows_of(reply: Any) -> Rows:
    """Rows of a reply or of a table."""
    records = reply["predictions"] if isinstance(reply, dict) else reply.to_dict("records")
    errors = [row["error"] if isinstance(row["error"], str) else None for row in records]
    return [(error, list(row["probabilities"])) for error, row in zip(errors, records, strict=True)]


def fault(found: Rows, expected: Rows) -> str:
    """What is wrong with an answer; empty if nothing is."""
    if len(found) != len(expected):
        return f"{len(found)} rows instead of {len(expected)}"
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        if one[0] != other[0] or not np.allclose(one[1], other[1], atol=TOLERANCE, rtol=0):
            return f"row {number}: {one[0]} {one[1][:2]} instead of {other[0]} {other[1][:2]}"
    return ""


def together(
    clients: int, seconds: float, asked: list[Request], client: Callable[[], Callable[[Request], Rows]]
) -> Asked:
    """So many threads that ask for so many seconds."""
    result, lock = Asked(), threading.Lock()
    began = time.perf_counter()

    def work(number: int) -> None:
        ask, turn = client(), number
        while time.perf_counter() - began < seconds:
            request = asked[turn % len(asked)]
            turn += 1
            try:
                wrong = fault(ask(request), request.expected)
            except Exception as error:  # a missing answer is what is looked for
                wrong = f"{type(error).__name__}: {error}"
            with lock:
                result.images += ROWS
                result.faults += [wrong] if wrong else []

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result.seconds = time.perf_counter() - began
    return result


def over_http(server: Server) -> Callable[[Request], Rows]:
    """A client with a connection of its own."""
    connection = http.client.HTTPConnection(server.address.removeprefix("http://"), timeout=120)

    def ask(request: Request) -> Rows:
        connection.request("POST", "/invocations", request.body, {"Content-Type": request.kind})
        reply = connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise AssertionError(f"{reply.status} {text[:200]!r}")
        return rows_of(json.loads(text))

    return ask


def main() -> None:
    """Print the table; exit with 1 if an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument(
        "--seconds", type=float, default=180, help="of the server in all; a third of it in process"
    )
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--server", choices=("aimonk", "mlflow"), default="aimonk")
    parser.add_argument("--form", choices=("json", "raw"), default="json")
    parser.add_argument("--data", type=Path, default=SHARED / "data" / "clothing" / "images")
    given = parser.parse_args()
    import mlflow
    import pandas as pd

    os.environ["AIMONK_SERVING"] = "true"  # the limits of a server hold in process, too
    model = mlflow.pyfunc.load_model(str(given.model.resolve()))

    def in_process(request: Request) -> Rows:
        return rows_of(model.predict(pd.DataFrame({"image": request.images})))

    images = pool(given.data, seed=0)
    answers = rows_of(model.predict(pd.DataFrame({"image": images})))
    requests_made = prepared(images, answers, given.form, seed=1)
    with new_place() as place, serving(place, str(given.model.resolve()), given.server) as server:
        phases: dict[str, Callable[[], Asked]] = {
            "in process": lambda: together(
                given.clients, given.seconds / ROUNDS / 3, requests_made, lambda: in_process
            ),
            "served": lambda: together(
                given.clients, given.seconds / ROUNDS, requests_made, lambda: over_http(server)
            ),
        }
        for client in (in_process, over_http(server)):  # both are warm
            for request in requests_made[:4]:
                client(request)
        results = in_turn(phases, ROUNDS)
    rates = {name: [one.images / one.seconds for one in found] for name, found in results.items()}
    served, direct = (float(np.median(rates[name])) for name in ("served", "in process"))
    faults = [wrong for found in results.values() for one in found for wrong in one.faults]
    asked = {name: sum(one.images for one in found) for name, found in results.items()}
    bad = sum(error is not None for error, _ in answers) / len(answers)
    what = f"images per s, {given.clients} clients, {ROWS} a request, {given.form}"
    rows: list[list[object]] = [
        [what, served, direct, f"{served / direct:.2f} times", "at least 0.90"],
        ["images asked for", asked["served"], asked["in process"], "", ""],
        ["of them unreadable", f"{bad:.1%}", f"{bad:.1%}", "", ""],
        ["wrong, crossed or missing answers", len(faults), "", "", "0"],
    ]
    print_table(["what", given.server, "in process", "result", "goal"], rows)
    print(*faults[:10], sep="\n", file=sys.stderr)
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
