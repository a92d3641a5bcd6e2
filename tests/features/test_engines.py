from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aimonk.errors import BackboneError, FeatureStoreError
from aimonk.features import engines
from aimonk.features.engines import AGREEMENT, OpenVINOEngine, relative_error

from .conftest import mean_color_graph


def images(count: int, side: int = 6) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_any_number_of_images_is_embedded_in_order(count: int) -> None:
    engine = OpenVINOEngine(mean_color_graph(6))
    np.testing.assert_allclose(engine.embed(images(count)), images(count).mean(axis=(1, 2)), rtol=1e-5)


def test_a_stream_keeps_tags_and_order_and_takes_few_ahead() -> None:
    taken = 0

    def batches() -> Iterator[tuple[int, np.ndarray]]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number, np.full((1 + number % 4, 6, 6, 3), number, dtype=np.uint8)

    engine = OpenVINOEngine(mean_color_graph(6))
    for expected, (number, vectors) in enumerate(engine.stream(batches())):
        assert number == expected
        np.testing.assert_array_equal(vectors, np.full((1 + number % 4, 3), number))
        assert taken - number <= engine._requests + 1


def test_an_error_while_batches_are_made_passes_through() -> None:
    def batches() -> Iterator[tuple[int, np.ndarray]]:
        yield 0, images(2)
        raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        list(OpenVINOEngine(mean_color_graph(6)).stream(batches()))


def test_an_engine_works_on_after_a_stream_was_left() -> None:
    engine = OpenVINOEngine(mean_color_graph(6))
    stream = engine.stream((number, images(4)) for number in range(50))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    np.testing.assert_allclose(engine.embed(images(5)), images(5).mean(axis=(1, 2)), rtol=1e-5)


def test_a_damaged_graph_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "backbone.xml").write_text("<net")
    with pytest.raises(
        FeatureStoreError, match=f"The graph .*backbone.xml cannot be read; delete .*{tmp_path.name}"
    ):
        OpenVINOEngine(tmp_path / "backbone.xml")


def test_bf16_needs_a_processor_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "has_bf16", lambda: False)
    with pytest.raises(BackboneError, match="no bf16 arithmetic; set features.precision to f32"):
        OpenVINOEngine(mean_color_graph(6), "bf16")


def test_relative_error_is_a_share_of_the_norm() -> None:
    # |(3, 4) - (3, 3)| = 1, |(3, 4)| = 5
    assert relative_error(np.array([[3, 3]]), np.array([[3, 4]])) == pytest.approx(0.2)
    assert relative_error(np.zeros((1, 2)), np.zeros((1, 2))) == np.inf
    assert relative_error(np.array([[np.nan]]), np.ones((1, 1))) == np.inf


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "weights", "bf16_fits"),
    [
        ("mobilenet@0.25", "shared", False),
        ("resnet50", "none", True),
        ("convnexttiny", "none", True),
        ("efficientnetv2b0", "none", None),  # 1.0% on real images: either side of the limit
    ],
)
def test_engines_agree(name: str, weights: str, bf16_fits: bool | None, shared: Path, tmp_path: Path) -> None:
    from aimonk.config import FeaturesConfig
    from aimonk.features.engines import BF16_LIMIT, KerasEngine, has_bf16
    from aimonk.features.extractor import FeatureExtractor
    from aimonk.runtime.decoder import decode

    if weights == "shared":
        weights = str(shared / "weights" / "mobilenet_2_5_224_tf_no_top.h5")
    backbone = FeatureExtractor(FeaturesConfig(resolution=1.0, backbone=name, weights=weights), tmp_path)
    files = sorted((shared / "data" / "aimonk").rglob("*.jpg"))[:4]
    pixels = np.stack([decode(file.read_bytes(), backbone.size) for file in files])
    keras = KerasEngine(backbone.keras_model).embed(pixels)
    exact = OpenVINOEngine(backbone.graph, "f32").embed(pixels)
    assert relative_error(exact, keras) < AGREEMENT
    if has_bf16():
        error = relative_error(OpenVINOEngine(backbone.graph, "bf16").embed(pixels), exact)
        if bf16_fits is not None:
            assert (error <= BF16_LIMIT) == bf16_fits
        chosen = backbone.key(lambda: pixels)
        assert chosen.precision == ("bf16" if error <= BF16_LIMIT else "f32")
        assert backbone.bf16_error() == pytest.approx(error, rel=1e-6)
