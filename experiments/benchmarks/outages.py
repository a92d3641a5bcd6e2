"""What a tracking server that goes away leaves behind.

    python experiments/benchmarks/outages.py [--postgres] [--seconds 60] [--kinds killed frozen gone]

A small fine-tuning on drawn data (MobileNet, width 0.25, random weights) is run four times against an MLflow
server over HTTP: undisturbed; with the server killed and started again after a minute; frozen for a minute;
and gone until the training has given up, then resumed. Every run must end with each iteration once, the
figures of the undisturbed run, one version, and the alias on a version that is whole. `fitting` is the time
of the stages in which a model is trained, against that of the undisturbed run; `--epochs` makes it longer.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from trainings import Bench, Whole, fit_seconds, undisturbed

from tests.tracking.tracking_server import TrackingServer, postgres, running

EPOCHS = 24


def outages(bench: Bench, server: TrackingServer, seconds: float, label: str, asked: list[str]) -> None:
    """Print a table row per kind of outage."""
    undisturbed(bench, f"{label}-warm")
    whole = undisturbed(bench, f"{label}-whole")
    print(f"| {label} | undisturbed | {whole.seconds:.1f} | {whole.fit_seconds:.1f} | | |", flush=True)

    def killed() -> None:
        server.kill()
        time.sleep(seconds)
        server.start()

    def frozen() -> None:
        server.signal(signal.SIGSTOP)
        time.sleep(seconds)
        server.signal(signal.SIGCONT)

    kinds: dict[str, Callable[[], None]] = {"killed": killed, "frozen": frozen}
    for kind, strike in kinds.items():
        if kind not in asked:
            continue
        name, began = f"{label}-{kind}", time.monotonic()
        process = bench.train(name)
        _wait_for(lambda: _fine_tuning(bench), process)  # noqa: B023
        striking = threading.Thread(target=strike)
        striking.start()
        ended = bench.end(process, began)
        striking.join()
        faults = f"ended with {ended.code}: {ended.errors[-300:]}"
        if ended.code == 0:
            faults = bench.check(name, str(ended.answer["run_id"]), whole)
        more = ended.seconds - whole.seconds
        fit = fit_seconds(ended) / whole.fit_seconds - 1 if ended.answer else float("nan")
        print(
            f"| {label} | {kind} for {seconds:.0f} s | {ended.seconds:.1f} ({more:+.1f}) "
            f"| {fit:+.1%} | {faults or 'nothing wrong'} | |",
            flush=True,
        )
    if "gone" in asked:
        _gone(bench, server, label, whole)


def _gone(bench: Bench, server: TrackingServer, label: str, whole: Whole) -> None:
    name, began = f"{label}-gone", time.monotonic()
    process = bench.train(name, patience=5)
    _wait_for(lambda: _fine_tuning(bench), process)
    server.kill()
    ended = bench.end(process, began)
    shown = "figures shown" if ended.answer.get("mAP") is not None else "no figures"
    last = ended.errors.strip().splitlines()[-1]
    server.start()
    run_id = bench.run_of(name)
    assert run_id and f"aimonk train --resume {run_id}" in last, last
    resumed = bench.resume(run_id)
    faults = bench.check(name, run_id, whole) if resumed.code == 0 else resumed.errors[-300:]
    print(
        f"| {label} | gone, resumed later | {ended.seconds:.1f} + {resumed.seconds:.1f} | | "
        f"{faults or 'nothing wrong'} | {shown}, exit code {ended.code} |",
        flush=True,
    )


def _fine_tuning(bench: Bench) -> bool:
    """Whether a checkpoint of an epoch is there; those of earlier trainings are deleted."""
    return any((bench.folder / "store" / "checkpoints").glob("*/*/*.npz"))


def _wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.02)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--postgres", action="store_true", help="let the server keep its data in PostgreSQL")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of an outage")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--kinds", nargs="+", default=["killed", "frozen", "gone"])
    asked = parser.parse_args()
    label = "PostgreSQL" if asked.postgres else "SQLite"
    with (
        tempfile.TemporaryDirectory() as folder,
        postgres() if asked.postgres else nullcontext("") as backend,
        running(Path(folder) / "server", backend) as server,
    ):
        bench = Bench(Path(folder), server.uri, asked.epochs)
        print("| server | outage | seconds | fitting | faults | said |\n|---|---|---|---|---|---|")
        outages(bench, server, asked.seconds, label, asked.kinds)


if __name__ == "__main__":
    main()
