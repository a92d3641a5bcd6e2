"""Load a server beyond its limits, and see that it refuses instead of growing.

    python experiments/benchmarks/server_load.py MODEL [--clients 64] [--megabytes 25] [--server mlflow]

MODEL is any URI or folder that `aimonk serve` takes. So many clients post one JSON request each, all at once,
with so many megabytes of base64 in it; one more client asks for `/ping` ten times a second, and one posts a
small photo. The table says how often each status came, the largest resident memory above that of the idle
server, the slowest `/ping`, and whether the small photo always got the same answer.
"""

from __future__ import annotations

import argparse
import base64
import collections
import io
import json
import threading
import time
from collections.abc import Callable

import requests
from PIL import Image
from server import Server, serving
from trials import new_place, print_table

JSON = {"Content-Type": "application/json"}


def photo() -> str:
    """A small photo as base64."""
    data = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(data, "JPEG")
    return base64.b64encode(data.getvalue()).decode()


def repeated(act: Callable[[], None], pause: float, stop: threading.Event) -> threading.Thread:
    """Do something again and again in a thread until `stop`."""

    def run() -> None:
        while not stop.wait(pause):
            act()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def load(server: Server, clients: int, megabytes: int) -> list[list[object]]:
    """Rows of the table."""
    idle = server.memory()
    statuses: collections.Counter[str] = collections.Counter()
    memory, pings, answers = [idle], [0.0], set()
    body = json.dumps({"inputs": {"image": ["A" * (megabytes * 10**6)]}}).encode()
    small = json.dumps({"inputs": {"image": [photo()]}}).encode()

    def post() -> None:
        try:
            reply = requests.post(f"{server.address}/invocations", data=body, headers=JSON, timeout=120)
            statuses[str(reply.status_code)] += 1
        except requests.RequestException as error:
            statuses[type(error).__name__] += 1

    def ping() -> None:
        began = time.perf_counter()
        requests.get(f"{server.address}/ping", timeout=60)
        pings.append(time.perf_counter() - began)
        memory.append(server.memory())

    def ask() -> None:
        reply = requests.post(f"{server.address}/invocations", data=small, headers=JSON, timeout=120)
        if reply.ok:
            answers.add(json.dumps(reply.json()["predictions"]))

    stop = threading.Event()
    watching = [repeated(ping, 0.1, stop), repeated(ask, 0.1, stop)]
    asking = [threading.Thread(target=post) for _ in range(clients)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    stop.set()
    for thread in watching:
        thread.join()
    found = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    return [
        [f"{clients} requests of {megabytes} MB", found, "200, 429 or 503"],
        ["memory above idle, MB", f"{max(memory) - idle:.0f}", "1,000"],
        ["slowest /ping, s", f"{max(pings):.2f}", "1"],
        ["different answers to one photo", len(answers), "1"],
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--megabytes", type=int, default=25)
    parser.add_argument("--server", choices=("aimonk", "mlflow"), default="aimonk")
    given = parser.parse_args()
    with new_place() as place, serving(place, given.model, given.server) as server:
        rows = load(server, given.clients, given.megabytes)
    print_table(["what", given.server, "goal, at most"], rows)


if __name__ == "__main__":
    main()
