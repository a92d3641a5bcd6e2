from __future__ import annotations

from aimonk.results.embedding_result import EmbeddingResult


def test_what_was_skipped_is_said_by_kind() -> None:
    result = EmbeddingResult(3, 2, (), {}, (), {"movies": 1, "texts and tables": 2})
    assert [str(line) for line in result.summary()] == [
        "3 images have features; 2 forward passes were made.",
        "Skipped 3 files that are not images: movies (1), texts and tables (2).",
    ]
    assert result.to_json()["skipped"] == {"movies": 1, "texts and tables": 2}
    assert len(EmbeddingResult(3, 2, (), {}).summary()) == 1
