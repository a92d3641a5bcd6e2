"""Send mutated requests to a server, and see that it answers each of them, and stays small.

    python experiments/benchmarks/hostile_requests.py MODEL [--requests 2000] [--server aimonk] [--nginx]

MODEL is any URI or folder that `aimonk serve` takes; `--server mlflow` asks `mlflow models serve` instead.
`--nginx` asks through nginx with `deploy/nginx.conf`, whose limit of requests a second alone is lifted.
Cells hold photos in every format that is served, whole or damaged as in `hostile_images.py`, bombs among
them, and things that are no images. They come in each form that the server takes: JSON in MLflow's four
forms, some of which ask for explanations, CSV, and for `aimonk serve` the image itself and multipart forms.
Every second body is mutated after that: cut off, bytes changed, parts repeated, another content type. Four
clients ask at once. After every twentieth request of a client comes a small good photo, whose answer must
never change, where it gets one: a full server may refuse it with 503.

`ours` counts replies that show a stack trace or a path through code of ours, `MLflow's` those through code of
MLflow only: its server shows its own traces for some bodies that it cannot parse, and answers 500 to JSON
that is nested too deeply. The script ends with 1 if a goal is missed. `--requests 20000` is the full
measurement; `--seconds` ends it earlier.
"""

from __future__ import annotations

import argparse
import base64
import collections
import csv
import io
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import requests
from hostile_images import DATA, bombs, damaged, encoders
from PIL import Image
from server import Server, serving
from server_load import photo
from trials import new_place, print_table

from tests.deploy.nginx_proxy import ALICE, proxied

CLIENTS = 4
TRACE = re.compile(r'Traceback \(most recent|site-packages|File \\?"')
OURS = re.compile(r"aimonk")
NOT_THE_MODEL = "Internal Server Error"
"""What Starlette answers when a server's own code fails; a failure of the model is told in JSON."""
JSON, CSV = "application/json", "text/csv"
Request = tuple[bytes, str]
"""Body and content type."""


@dataclass(frozen=True)
class Door:
    """Where a server is asked: itself, or the proxy before it."""

    server: Server
    address: str
    secrets: dict[str, Any]
    """What a request needs besides its body."""


@dataclass
class Outcome:
    """What came of all requests."""

    statuses: collections.Counter[int] = field(default_factory=collections.Counter)
    ours: list[str] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Requests without a reply."""
    failures: list[str] = field(default_factory=list)
    """Replies with 5xx other than 503, sent by code of ours."""
    foreign: list[str] = field(default_factory=list)
    """Such replies by MLflow's server itself, which never came to the model."""
    answers: set[str] = field(default_factory=set)
    """Different answers to the good photo."""
    memory: float = 0.0
    slowest: float = 0.0


def corpus(folder: Path) -> list[bytes]:
    """A few photos in every format."""
    photos = [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.jpg"))[:100:25]]
    return [encode(photo) for encode in encoders().values() for photo in photos]


def cell(images: list[bytes], explosive: list[bytes], random: np.random.Generator) -> object:
    """What stands where an image should be."""
    image = images[random.integers(len(images))]
    if random.random() < 0.02:
        image = explosive[random.integers(len(explosive))]
    elif random.random() < 0.7:
        image = damaged(image, random)
    text = base64.b64encode(image).decode()
    others = [
        *(None, 7, -1.5, True, "", "photo.jpg", "/etc/passwd", "https://example.com/a.jpg", [], {}),
        *([text], {"bytes": text}, "A" * int(random.integers(1, 9)), "\x00", "\u2028\ud83d\ude00", 10**400),
        *(text.rstrip("="), base64.urlsafe_b64encode(image).decode(), f"data:image/png;base64,{text}"),
    ]
    return others[random.integers(len(others))] if random.random() < 0.3 else text


def request(cells: list[object], image: bytes, raw: bool, random: np.random.Generator) -> Request:
    """The cells in one of the forms that a server takes."""
    more: dict[str, object] = {"params": {"explain": True}} if random.random() < 0.05 else {}
    forms: list[Callable[[], Request]] = [
        lambda: _json({"dataframe_split": {"columns": ["image"], "data": [[one] for one in cells]}, **more}),
        lambda: _json({"dataframe_records": [{"image": one} for one in cells], **more}),
        lambda: _json({"inputs": {"image": cells}, **more}),
        lambda: _json({"instances": [{"image": one} for one in cells], **more}),
        lambda: _table(cells),
    ]
    if raw:
        forms += [lambda: (image, "image/jpeg"), lambda: _form(image)]
    return forms[random.integers(len(forms))]()


def mutated(asked: Request, random: np.random.Generator) -> Request:
    """The request with one kind of damage to its body or its type."""
    body, kind = asked
    types = [JSON, CSV, "text/html", "application/octet-stream", "image/png", "application/json; charset=x"]
    match int(random.integers(0, 6)):
        case 0:
            return body, types[random.integers(len(types))]
        case 1:
            return body[: random.integers(0, len(body) + 1)], kind
        case 2:
            return damaged(body or b"{}", random), kind
        case 3:
            return body.replace(b"image", [b"photo", b"", b"image\\u0000", b'"'][random.integers(4)], 1), kind
        case 4:
            depth = int(random.integers(1, 20_000))
            return b"[" * depth + body[:100] + b"]" * depth, kind
        case _:
            odd = [b"", b"null", b"[]", b"{}", b"NaN", b'{"inputs": 1e999}', b"\xff\xfe\x00", b"image\n\n\n"]
            return odd[random.integers(len(odd))], kind


@contextmanager
def opened(server: Server, nginx: bool) -> Iterator[Door]:
    """The server's own door, or that of nginx before it."""
    if not nginx:
        yield Door(server, server.address, {})
        return
    with tempfile.TemporaryDirectory(prefix="aimonk-benchmark-") as folder:
        Path(folder).chmod(0o755)
        with proxied(Path(folder), server.port, {"rate=20r/s": "rate=100000r/s"}) as proxy:
            yield Door(server, proxy.address, {"auth": ALICE, "verify": str(proxy.certificate)})


def attack(door: Door, given: argparse.Namespace) -> Outcome:
    """Send all requests."""
    raw = given.server == "aimonk"
    images, explosive = corpus(given.data), list(bombs().values())
    outcome, lock, stop = Outcome(), threading.Lock(), threading.Event()
    good = json.dumps({"inputs": {"image": [photo()]}}).encode()
    send(door, (good, JSON), Outcome(), lock)  # the server is warm
    idle = door.server.memory()
    end = time.monotonic() + (given.seconds or float("inf"))

    def client(number: int) -> None:
        random = np.random.default_rng([given.seed, number])
        for turn in range(given.requests // CLIENTS):
            if time.monotonic() > end:
                return
            cells = [cell(images, explosive, random) for _ in range(int(random.integers(1, 4)))]
            asked = request(cells, images[random.integers(len(images))], raw, random)
            send(door, mutated(asked, random) if turn % 2 else asked, outcome, lock)
            if turn % 20 == 0:
                reply = send(door, (good, JSON), outcome, lock)
                if reply is not None and reply.status_code != 503:  # a full server may refuse it
                    said = json.dumps(reply.json()["predictions"]) if reply.ok else reply.text
                    with lock:
                        outcome.answers.add(said)

    def watch() -> None:
        while not stop.wait(0.05):
            outcome.memory = max(outcome.memory, door.server.memory() - idle)

    watching = threading.Thread(target=watch)
    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in (watching, *clients):
        thread.start()
    for thread in clients:
        thread.join()
    stop.set()
    watching.join()
    if raw:  # the server is ours as well
        outcome.failures += outcome.foreign
        outcome.foreign = []
    return outcome


def send(door: Door, asked: Request, outcome: Outcome, lock: threading.Lock) -> requests.Response | None:
    """Send one request, and note what came back."""
    began = time.perf_counter()
    headers = {"Content-Type": asked[1]}
    try:
        reply = requests.post(
            f"{door.address}/invocations", data=asked[0], headers=headers, timeout=120, **door.secrets
        )
    except requests.RequestException as error:
        with lock:
            outcome.broken.append(f"{type(error).__name__} after {asked[0][:200]!r}")
        return None
    with lock:
        outcome.slowest = max(outcome.slowest, time.perf_counter() - began)
        outcome.statuses[reply.status_code] += 1
        if reply.status_code >= 500 and reply.status_code != 503:
            failures = outcome.foreign if reply.text == NOT_THE_MODEL else outcome.failures
            failures.append(f"{reply.status_code} {reply.text[:300]} after {asked[0][:200]!r}")
        if TRACE.search(reply.text):
            traces = outcome.ours if OURS.search(reply.text) else outcome.theirs
            traces.append(f"{reply.status_code} {reply.text[-300:]} after {asked[0][:200]!r}")
    return reply


def rows(outcome: Outcome) -> Iterator[list[object]]:
    """Rows of the table: what, how much, the goal."""
    found = ", ".join(f"{count:,} x {status}" for status, count in sorted(outcome.statuses.items()))
    yield [f"{outcome.statuses.total():,} requests", found, ""]
    yield ["no reply", len(outcome.broken), "0"]
    yield ["5xx but 503, ours", len(outcome.failures), "0"]
    yield ["5xx but 503, MLflow's", len(outcome.foreign), ""]
    yield ["traces or paths, ours", len(outcome.ours), "0"]
    yield ["traces or paths, MLflow's", len(outcome.theirs), ""]
    yield ["different answers to the good photo", len(outcome.answers), "1"]
    yield ["memory above idle, MB", f"{outcome.memory:.0f}", "1,000"]
    yield ["slowest reply, s", f"{outcome.slowest:.1f}", ""]


def _json(value: object) -> Request:
    return json.dumps(value).encode(), JSON


def _table(cells: list[object]) -> Request:
    text = io.StringIO()
    csv.writer(text).writerows([["image"], *([one] for one in cells)])
    return text.getvalue().encode("utf-8", "surrogatepass"), CSV


def _form(image: bytes) -> Request:
    files = {name: (f"{name}.jpg", image) for name in ("a", "b")}
    prepared = requests.Request("POST", "http://localhost", files=files).prepare()
    assert isinstance(prepared.body, bytes)
    return prepared.body, str(prepared.headers["Content-Type"])


def main() -> None:
    """Print the table; exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=0, help="0: no limit")
    parser.add_argument("--server", choices=("aimonk", "mlflow"), default="aimonk")
    parser.add_argument("--nginx", action="store_true", help="ask through deploy/nginx.conf")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=DATA)
    given = parser.parse_args()
    sys.set_int_max_str_digits(0)
    model = os.path.abspath(given.model) if os.path.isdir(given.model) else given.model
    with (
        new_place() as place,
        serving(place, model, given.server) as server,
        opened(server, given.nginx) as door,
    ):
        outcome = attack(door, given)
    print_table(["what", given.server + " behind nginx" * given.nginx, "goal, at most"], list(rows(outcome)))
    wrong = outcome.broken + outcome.failures + outcome.ours
    print(*wrong[:20], *outcome.theirs[:3], sep="\n", file=sys.stderr)
    sys.exit(1 if wrong or len(outcome.answers) != 1 or outcome.memory > 1000 else 0)


if __name__ == "__main__":
    main()
