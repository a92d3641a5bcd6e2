"""End trainings where each of their stages begins and ends, resume them, and look at what they leave behind.

    python experiments/benchmarks/killed_training.py [--part 0 1000]

A small fine-tuning is started again and again against an MLflow server over HTTP. It sends itself SIGTERM,
SIGINT or SIGKILL at a boundary of its stages: all three at each of them, which are some forty moments. After
that its run must be KILLED, or be marked so by the resumed training after SIGKILL; no alias may be on a
version that is not whole; and the resumed run must have each iteration once, the figures of an undisturbed
one, one version and the right alias. `--part 0 20` takes the first 20 moments.
"""

from __future__ import annotations

import argparse
import ast
import signal
import sys
import tempfile
import time
from pathlib import Path

from trainings import Bench, Ended, Whole, undisturbed

from tests.tracking.tracking_server import running

EPOCHS = 3
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
KILLED_AT = """
import contextlib, os, signal, sys
from aimonk import progress
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
number, boundary = int(sys.argv.pop(1)), int(sys.argv.pop(1))
stage, seen = progress.stage, []

def cross(name, side):
    seen.append(f"{side} of {name}")
    if len(seen) - 1 == boundary:
        os.kill(os.getpid(), number)

@contextlib.contextmanager
def watched(name, description):
    cross(name, "begin")
    with stage(name, description) as progressed:
        yield progressed
    cross(name, "end")

progress.stage = watched
from aimonk.cli import main
try:
    main()
finally:
    with open("boundaries.json", "w") as file:
        file.write(repr(seen))
"""
"""`aimonk`, which sends itself a signal when it comes to the boundary of a stage with a number."""


def kills(bench: Bench, first: int, last: int, label: str) -> None:
    """Kill trainings at boundaries of stages, resume each, and print what was wrong."""
    undisturbed(bench, f"{label}-warm")
    whole = undisturbed(bench, f"{label}-whole")
    bench.end(bench.train(f"{label}-counted", code=_killed_at(0, -1)))
    boundaries = ast.literal_eval((bench.folder / "boundaries.json").read_text())
    moments = [(sent, number) for number in range(len(boundaries)) for sent in SIGNALS]
    by_signal: dict[str, list[str]] = {}
    for sent, number in moments[first:last]:
        name = f"{label}-{sent.name}-{number}"
        process, began = bench.train(name, code=_killed_at(sent, number)), time.monotonic()
        outcome = _after_kill(bench, name, sent, bench.end(process, began), whole)
        by_signal.setdefault(sent.name, []).append(outcome)
        print(f"{sent.name} at the {boundaries[number]}: {outcome or 'resumed, the same'}", file=sys.stderr)
    print(
        f"{len(boundaries)} boundaries, {len(moments)} moments, {first} to {last} of them here",
        file=sys.stderr,
    )
    for sent_name, outcomes in by_signal.items():
        counted = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
        print(f"| {sent_name} | {len(outcomes)} | {counted} |", flush=True)


def _killed_at(sent: int, boundary: int) -> tuple[str, ...]:
    return "-c", KILLED_AT, str(int(sent)), str(boundary)


def _after_kill(bench: Bench, name: str, sent: signal.Signals, ended: Ended, whole: Whole) -> str:
    run_id = bench.run_of(name)
    if run_id is None:
        return "before the run began"
    if "Traceback" in ended.errors:
        return f"traceback: {ended.errors[-300:]}"
    status = bench.client.get_run(run_id).info.status
    if status == "FINISHED":
        return bench.check(name, run_id, whole) or "had finished"
    if sent != signal.SIGKILL and status != "KILLED":
        return f"left {status}: {ended.errors[-300:]}"
    tags = bench.client.get_run(run_id).data.tags
    if "champion" in bench.aliases(name) and "aimonk.promoted" not in tags:
        return "promoted before it was whole"
    resumed = bench.resume(run_id)
    if resumed.code and "keeps no request.json" in resumed.errors:
        return "before the request was recorded"
    return bench.check(name, run_id, whole) if resumed.code == 0 else resumed.errors[-300:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1000), metavar=("FIRST", "END"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "server") as server:
        bench = Bench(Path(folder), server.uri, EPOCHS)
        print("| signal | trainings | faults (none: '') |\n|---|---|---|")
        kills(bench, asked.part[0], asked.part[1], "killed")


if __name__ == "__main__":
    main()
