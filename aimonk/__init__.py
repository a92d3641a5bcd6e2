"""From photos and incomplete labels to a served model, and a straight answer: did it learn anything?

Each function does what the command of the same name does and returns a result that prints like it.
Importing aimonk loads neither TensorFlow nor MLflow: every name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .commands.audit import audit
    from .commands.backbones import list_backbones
    from .commands.compare_backbones import compare_backbones
    from .commands.doctor import doctor
    from .commands.embed import embed
    from .commands.evaluate import evaluate
    from .commands.explain import explain
    from .commands.export import export
    from .commands.fill import fill
    from .commands.predict import predict
    from .commands.promote import promote
    from .commands.recipes import list_recipes
    from .commands.review import review
    from .commands.score import score
    from .commands.serve import serve
    from .commands.suggest import suggest
    from .commands.sweep import sweep
    from .commands.train import train
    from .config import Config
    from .config_file import load_config
    from .errors import AimonkError
    from .results.audit_result import AuditResult
    from .results.backbone_comparison import BackboneComparison
    from .results.embedding_result import EmbeddingResult
    from .results.evaluation_result import EvaluationResult
    from .results.explanation_result import ExplanationResult
    from .results.fill_result import FillResult
    from .results.prediction_result import PredictionResult
    from .results.promotion_result import PromotionResult
    from .results.review_result import ReviewResult
    from .results.suggestion_result import SuggestionResult
    from .results.sweep_result import SweepResult
    from .results.training_result import TrainingResult

__version__ = "0.2.0.dev0"

_HOMES = {
    "AimonkError": "errors",
    "AuditResult": "results.audit_result",
    "BackboneComparison": "results.backbone_comparison",
    "Config": "config",
    "EmbeddingResult": "results.embedding_result",
    "EvaluationResult": "results.evaluation_result",
    "FillResult": "results.fill_result",
    "ExplanationResult": "results.explanation_result",
    "PredictionResult": "results.prediction_result",
    "PromotionResult": "results.promotion_result",
    "SuggestionResult": "results.suggestion_result",
    "ReviewResult": "results.review_result",
    "SweepResult": "results.sweep_result",
    "TrainingResult": "results.training_result",
    "audit": "commands.audit",
    "compare_backbones": "commands.compare_backbones",
    "doctor": "commands.doctor",
    "embed": "commands.embed",
    "evaluate": "commands.evaluate",
    "explain": "commands.explain",
    "export": "commands.export",
    "fill": "commands.fill",
    "list_backbones": "commands.backbones",
    "list_recipes": "commands.recipes",
    "load_config": "config_file",
    "predict": "commands.predict",
    "promote": "commands.promote",
    "review": "commands.review",
    "score": "commands.score",
    "suggest": "commands.suggest",
    "serve": "commands.serve",
    "sweep": "commands.sweep",
    "train": "commands.train",
}

__all__ = [
    "AimonkError",
    "AuditResult",
    "BackboneComparison",
    "Config",
    "EmbeddingResult",
    "EvaluationResult",
    "FillResult",
    "ExplanationResult",
    "PredictionResult",
    "PromotionResult",
    "SuggestionResult",
    "ReviewResult",
    "SweepResult",
    "TrainingResult",
    "audit",
    "compare_backbones",
    "doctor",
    "embed",
    "evaluate",
    "explain",
    "export",
    "fill",
    "list_backbones",
    "list_recipes",
    "load_config",
    "predict",
    "promote",
    "review",
    "score",
    "suggest",
    "serve",
    "sweep",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
