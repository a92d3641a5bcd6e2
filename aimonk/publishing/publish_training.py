"""What a training leaves behind: a run in MLflow, a model package, a report, a registered version."""

from __future__ import annotations

import dataclasses
import datetime
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from ..config import Config
from ..data.dataset import Dataset
from ..data.split import Split, split_table, straddling
from ..evaluation.calibration import expected_calibration_error
from ..evaluation.label_errors import find_fillable, find_suspects
from ..progress import Stages
from ..reporting.figures.canvas import to_png
from ..reporting.html import figures, render_report
from ..reporting.report_data import Predictions, ReportData
from ..results.training_result import Outcome, evidence_metrics
from ..runtime.record import Attribute, PackageInfo
from ..serving.log_package import log_package
from ..serving.package import write_package
from ..tracking.dataset_input import describe
from ..tracking.held_out import HeldOut, log_held_out
from ..tracking.registry import Promotion, promote, register
from ..tracking.run import REQUEST, Run
from ..training.learner import Learner
from .gate import Gate

if TYPE_CHECKING:
    from mlflow.models.model import ModelInfo

    from ..commands.train import Learned


class Publisher:
    """Tells MLflow the story of one training, from its settings to the registered version."""

    def __init__(self, run: Run, config: Config, data: Dataset, stages: Stages) -> None:
        self.run, self.config, self.data, self.stages = run, config, data, stages

    def begin(self, plan: Split, experiment_file: str) -> None:
        """Record settings, data and split before anything is learned."""
        config, data = self.config, self.data
        asked = {"data": str(data.folder.resolve()), "labels": str(data.labels.resolve())}
        self.run.params({**config.flat(), "data.folder": asked["data"], "data.labels": asked["labels"]})
        self.run.json(
            REQUEST, {**asked, "experiment_file": experiment_file, "config": dataclasses.asdict(config)}
        )
        self.describe(plan)

    def describe(self, plan: Split) -> None:
        """Record what the data is, and warn of what is wrong with it."""
        data, found = self.data, self.data.audit
        facts = {"rows": found.rows, "missing": len(found.missing), "unreadable": len(found.unreadable)}
        self.run.dataset(
            describe(data.folder, data.digest, len(data), found.usable_attributes, facts), "training"
        )
        self.run.json("audit.json", found.to_json())
        for warning in data_warnings(data, plan, self.config):
            self.stages.warn(warning)

    def publish(self, learner: Learner, learned: Learned) -> Outcome:
        """Package and log the model, then the evidence and the report, then register and judge it."""
        with (
            self.stages.stage("package", "Model package"),
            tempfile.TemporaryDirectory(prefix="aimonk-") as folder,
        ):
            package = Path(folder) / "package"
            self._write_package(package, learner, learned)
            model = log_package(package)
        with self.stages.stage("register", "Registry"):
            promotion = self._register(model, learned)
        with self.stages.stage("report", "Report"):
            self._log_evidence(learned)
            self._log_report(learner, learned, promotion)
        decision = promotion.decision
        evidence = learned.evidence
        self.run.tags(
            {
                "aimonk.verdict": evidence.headline,
                "aimonk.learned": f"{len(evidence.learned)}/{len(evidence.attributes)}",
                "aimonk.promoted": str(decision.promote).lower(),
                "mlflow.note.content": f"**{evidence.headline}**\n\n{decision.reason}",
            }
        )
        version = promotion.challenger
        return Outcome(
            run_id=self.run.id,
            model_uri=version.uri,
            version=version.version,
            images=len(self.data),
            sets={name: len(rows) for name, rows in learned.fit.split.parts().items()},
            missing=self.data.audit.missing,
            unreadable=tuple(name for name, _ in self.data.audit.unreadable),
            seconds=self.stages.seconds,
            pos_weights=learned.pos_weights,
            evidence=evidence,
            operating_points=learned.operating_points,
            warnings=tuple(self.stages.warnings),
            decision=decision,
            facts=self._facts(learner),
        )

    def _facts(self, learner: Learner) -> dict[str, str | int]:
        return {
            "experiment": self.config.tracking.experiment,
            "model": self.config.tracking.register,
            "mode": self.config.training.mode,
            "backbone": str(learner.backbone.backbone),
            "weights": learner.backbone.digest,
            "engine": learner.key.engine,
            "precision": learner.key.precision,
            "forward_passes": learner.forward_passes,
            "data_digest": self.data.digest,
        }

    def _write_package(self, folder: Path, learner: Learner, learned: Learned) -> None:
        made = learned.fit.model.deliver(learned.fit.held_out.shipped_calibration)
        found = learned.evidence.attributes
        attributes = tuple(
            Attribute(name, float(threshold), counts.prevalence, str(evidence.verdict))
            for name, threshold, counts, evidence in zip(
                self.data.attributes,
                learned.fit.held_out.shipped_thresholds,
                self.data.audit.usable_attributes,
                found,
                strict=True,
            )
        )
        info = PackageInfo(
            attributes=attributes,
            input_size=learner.backbone.size,
            precision="bf16" if made.precision == "bf16" else "f32",
            backbone=str(learner.backbone.backbone),
            weights=learner.backbone.digest,
            features=learner.key.folder if made.head else "",
            calibrated=self.config.evaluation.calibrate,
            mode=self.config.training.mode,
            headline=learned.evidence.headline,
        )
        # What chose thresholds counts as seen, like what was trained on.
        seen = [self.data.digests[row] for row in (*learned.fit.rows, *learned.fit.split.validation)]
        write_package(folder, made.graph, info, made.head, seen=seen)

    def _register(self, model: ModelInfo, learned: Learned) -> Promotion:
        data, held_out = self.data, learned.fit.held_out
        rows = held_out.rows
        folds = held_out.folds if held_out.folds is not None else np.zeros(len(rows), np.int64)
        table = HeldOut(
            attributes=data.attributes,
            images=tuple(data.names[row] for row in rows),
            digests=tuple(data.digests[row] for row in rows),
            groups=data.groups[rows],
            folds=folds,
            targets=data.targets[rows],
            probabilities=held_out.probabilities,
        )
        log_held_out(self.run, table)
        saved = split_table(data.names, data.digests, learned.fit.split)
        self.run.table(
            "split.json",
            dict(zip(("image", "sha256", "set"), map(list, zip(*saved, strict=True)), strict=True)),
        )
        name = self.config.tracking.register
        evidence = learned.evidence
        tags = {
            "aimonk.learned": f"{len(evidence.learned)}/{len(evidence.attributes)}",
            "aimonk.data": data.digest,
        }
        version = register(
            name,
            model,
            evidence.headline,
            f"Trained on {len(learned.fit.rows)} images of {data.folder}.",
            tags,
        )
        return promote(name, Gate(table, evidence, self.config), version.version)

    def _log_evidence(self, learned: Learned) -> None:
        history, weights = learned.fit.history, learned.pos_weights
        metrics = evidence_metrics(learned.evidence, learned.operating_points)
        metrics |= {"images": len(self.data), "best_epoch": history.best_epoch}
        metrics |= {f"pos_weight/{name}": value for name, value in weights.items()}
        metrics |= {f"seconds/{stage}": seconds for stage, seconds in self.stages.seconds.items()}
        self.run.params({f"pos_weight.{name}": f"{value:.6g}" for name, value in weights.items()})
        self.run.metrics(metrics, step=len(history.iteration_losses))

    def _log_report(self, learner: Learner, learned: Learned, promotion: Promotion) -> None:
        report = self._report(learner, learned, promotion.decision.reason)
        for name, cells in (("suspects", report.suspects), ("holes_to_fill", report.fillable)):
            columns = ("image", "attribute", "label", "probability")
            self.run.table(
                f"{name}.json", {column: [getattr(c, column) for c in cells] for column in columns}
            )
        drawn = figures(report)
        for name, figure in drawn.items():
            picture = to_png(figure)
            path = "loss_curve.png" if name == "loss_curve" else f"figures/{name}.png"
            self.run.file(path, partial(Path.write_bytes, data=picture))
        self.run.text("report.html", render_report(report, drawn))

    def _report(self, learner: Learner, learned: Learned, decision: str) -> ReportData:
        data, held_out, config = self.data, learned.fit.held_out, self.config
        names = tuple(data.names[row] for row in held_out.rows)
        targets = data.targets[held_out.rows]
        raw = expit(held_out.logits)
        paths = dict(zip(data.names, data.paths, strict=True))
        limit = config.evaluation.suspects
        return ReportData(
            title=data.folder.resolve().name,
            created=f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC",
            facts={name: str(fact) for name, fact in self._facts(learner).items()} | {"run": self.run.id},
            seconds=self.stages.seconds,
            audit=data.audit,
            evidence=learned.evidence,
            operating_points=learned.operating_points,
            ece_before=expected_calibration_error(targets, raw),
            ece_after=expected_calibration_error(targets, held_out.probabilities),
            history=learned.fit.history,
            suspects=find_suspects(targets, held_out.probabilities, names, data.attributes, limit),
            fillable=find_fillable(targets, held_out.probabilities, names, data.attributes, limit),
            predictions=Predictions(
                names, targets, held_out.probabilities, raw if config.evaluation.calibrate else None
            ),
            picture=paths.get,
            decision=decision,
            trained_on=len(learned.fit.rows),
            refitted=bool(np.isin(held_out.rows, learned.fit.rows).any()),
            warnings=tuple(self.stages.warnings),
            loss_title=config.tracking.title,
            alpha=config.evaluation.alpha,
            permutations=config.evaluation.permutations,
            resamples=config.evaluation.resamples,
        )


def data_warnings(data: Dataset, plan: Split, config: Config) -> list[str]:
    """What a user should know of the data before believing any figure."""
    found = data.audit
    warnings = []
    if found.missing:
        listed = ", ".join(found.missing[:5]) + (", ..." if len(found.missing) > 5 else "")
        warnings.append(f"{len(found.missing)} label rows have no image file and are left out: {listed}")
    if found.unreadable:
        name, why = found.unreadable[0]
        warnings.append(
            f"{len(found.unreadable)} images cannot be read and are left out; the first is {name}: {why}"
        )
    copies = straddling(data.groups, plan.train, plan.validation, plan.test)
    if copies and not config.evaluation.folds:
        warnings.append(
            f"{copies} photos have copies in several sets, which flatters the scores; use split.kind=grouped"
        )
    if data.split is not None and config.split.kind != "column":
        warnings.append(
            "The labels' column `split` is not used; set split.kind=column and evaluation.folds=0 to use it"
        )
    return warnings
