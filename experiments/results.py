"""Write the table of results into README.md beside this file, from the tracking store.

    python experiments/results.py [--experiment NAME]

One row per experiment file, data set and backbone: the latest run that finished. Runs are those of
`aimonk train --config RECIPE`; without `--config`, the defaults.
"""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

import mlflow

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- results: begin -->\n", "<!-- results: end -->\n"
HEAD = (
    "| experiment | data | backbone | images | mean AP, 95% | mean AUC, 95% | minutes | verdict | date |\n"
    "|---|---|---|---:|---|---|---:|---|---|\n"
)


def row(run: mlflow.entities.Run) -> str:
    """One line of the table."""
    metrics, tags = run.data.metrics, run.data.tags

    def figure(name: str) -> str:
        return f"{metrics[name]:.3f} ({metrics[f'{name}_low']:.3f} to {metrics[f'{name}_high']:.3f})"

    minutes = (run.info.end_time - run.info.start_time) / 60_000
    date = datetime.datetime.fromtimestamp(run.info.start_time / 1000, datetime.UTC)
    cells = (
        f"`{tags['aimonk.recipe']}`",
        data_of(run),
        f"`{backbone_of(run)}`",
        str(int(metrics["images"])),
        figure("mAP"),
        figure("AUC"),
        f"{minutes:.1f}",
        tags["aimonk.verdict"],
        f"{date:%Y-%m-%d}",
    )
    return f"| {' | '.join(cells)} |\n"


def data_of(run: mlflow.entities.Run) -> str:
    """The last two folders of where the images are: no path of this machine."""
    return "/".join(Path(run.data.params["data.folder"]).parts[-2:])


def backbone_of(run: mlflow.entities.Run) -> str:
    """The name of the backbone, of a file its last two folders."""
    return "/".join(Path(run.data.params["features.backbone"]).parts[-2:])


def latest(runs: list[mlflow.entities.Run]) -> list[mlflow.entities.Run]:
    """Of runs, newest first, the newest of each kind; sorted by data and experiment."""
    kinds: dict[tuple[str, str, str], mlflow.entities.Run] = {}
    for run in runs:
        recipe = run.data.tags.get("aimonk.recipe")
        if recipe and "mAP" in run.data.metrics:
            kinds.setdefault((data_of(run), recipe, run.data.params["features.backbone"]), run)
    return [kinds[kind] for kind in sorted(kinds)]


def main() -> None:
    """Put the table between its two marks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--experiment", default="aimonk", help="MLflow experiment of the runs")
    experiment = mlflow.get_experiment_by_name(parser.parse_args().experiment)
    if experiment is None:
        raise SystemExit("There is no such MLflow experiment in this tracking store; train first.")
    runs = mlflow.MlflowClient().search_runs(
        [experiment.experiment_id], "attributes.status = 'FINISHED'", order_by=["attributes.start_time DESC"]
    )
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    table = HEAD + "".join(row(run) for run in latest(list(runs)))
    README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
