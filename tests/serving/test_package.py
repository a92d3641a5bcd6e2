from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import openvino
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openvino import opset13 as ops

from aimonk.backbones.linear_head import LinearHead, append_head
from aimonk.errors import ModelError
from aimonk.runtime.package_digests import package_digest
from aimonk.runtime.predictor import Predictor
from aimonk.runtime.record import read_info
from aimonk.serving.package import read_head, read_seen, write_package

from .conftest import HEAD, color_info, mean_color


def run(model: openvino.Model, images: np.ndarray, precision: str = "f32") -> np.ndarray:
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": precision})
    return np.array(compiled(images)[0])


def test_a_head_is_a_product_and_a_sum() -> None:
    images = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    images[0] = (200, 7, 50)
    images[1] = (0, 7, 100)
    np.testing.assert_allclose(
        run(append_head(mean_color(), HEAD), images), [[1.0, 0.0], [-1.0, -0.5]], atol=1e-6
    )


def test_the_backbone_stays_as_it_is() -> None:
    backbone = mean_color()
    append_head(backbone, HEAD)
    assert str(backbone.output(0).get_partial_shape()) == "[?,3]"


def convolutional(width: int, seed: int) -> openvino.Model:
    """A convolution, ReLU and global average pooling: what a bf16 hint applies to."""
    random = np.random.default_rng(seed)
    image = ops.parameter([-1, 16, 16, 3], np.uint8)
    channels_first = ops.transpose(ops.convert(image, "f32"), ops.constant(np.array([0, 3, 1, 2])))
    kernel = random.normal(size=(width, 3, 3, 3)).astype(np.float32)
    maps = ops.relu(ops.convolution(channels_first, ops.constant(kernel), [1, 1], [1, 1], [1, 1], [1, 1]))
    features = ops.reduce_mean(maps, ops.constant(np.array([2, 3])), False)
    return openvino.Model([ops.result(features)], [image], "convolutional")


@settings(deadline=None, max_examples=12)
@given(
    st.sampled_from(["f32", "bf16"]),
    st.integers(1, 5),
    st.integers(8, 96),
    st.integers(1, 9),
    st.integers(0, 99),
)
def test_served_logits_are_those_of_the_features(
    precision: str, images: int, width: int, labels: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    backbone = convolutional(width, seed)
    pixels = random.integers(0, 256, (images, 16, 16, 3), dtype=np.uint8)
    features = run(backbone, pixels, precision)
    kernel = random.normal(size=(width, labels)).astype(np.float32) / 100
    head = LinearHead(kernel, np.ones(labels, np.float32))
    served = run(append_head(backbone, head), pixels, precision)
    np.testing.assert_allclose(served, head.logits(features), rtol=1e-5, atol=1e-4)


def test_a_head_of_another_width_is_refused() -> None:
    with pytest.raises(ModelError, match="3 features per image, the head expects 5"):
        append_head(mean_color(), LinearHead(np.zeros((5, 1), np.float32), np.zeros(1, np.float32)))


def test_a_package_is_whole(package: Path) -> None:
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    graph = {"model.xml", "model.bin", "attributes.json", "head.npz", "seen.json"}
    assert files == graph | {"model_card.md", "environment.txt", "digests.json"}
    assert set(json.loads((package / "digests.json").read_text())) == files - {"digests.json"}


def test_a_package_names_its_software(package: Path) -> None:
    info = read_info(package)
    assert info.versions["openvino"] == version("openvino")
    assert info.licenses["aimonk"] == "Apache-2.0"
    assert info.licenses["weights"] == "not stated"
    pins = (package / "environment.txt").read_text().split()
    assert {f"numpy=={version('numpy')}", f"fastapi=={version('fastapi')}"} <= set(pins)
    assert not [pin for pin in pins if pin.startswith(("tensorflow", "keras"))]


@pytest.mark.parametrize("name", ["model.bin", "attributes.json", "head.npz", "model_card.md"])
def test_one_flipped_bit_is_refused(make_package: Callable[..., Path], name: str) -> None:
    folder = make_package()
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelError) as raised:
        Predictor(folder)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_package_has_a_digest_of_its_own(make_package: Callable[..., Path]) -> None:
    first, second = make_package("a"), make_package("b", info=color_info(0.1, 0.2))
    copy = shutil.copytree(first, first.with_name("copy"))
    assert package_digest(first) == package_digest(copy) != package_digest(second)
    (first / "digests.json").unlink()
    for ask in (package_digest, Predictor):
        with pytest.raises(ModelError, match=r"digests\.json is missing"):
            ask(first)


def test_the_head_is_read_again(package: Path) -> None:
    head = read_head(package)
    assert head is not None
    np.testing.assert_array_equal(head.kernel, HEAD.kernel)
    np.testing.assert_array_equal(head.bias, HEAD.bias)


def test_seen_images_are_known_by_the_first_digits_of_their_digest(tmp_path: Path) -> None:
    digests = ("a" * 64, "b" * 64, "a" * 16 + "c" * 48)
    write_package(tmp_path / "package", append_head(mean_color(), HEAD), color_info(), seen=digests)
    assert read_seen(tmp_path / "package") == {"a" * 16, "b" * 16}
    (tmp_path / "package" / "seen.json").unlink()
    assert read_seen(tmp_path / "package") == frozenset()
    (tmp_path / "package" / "seen.json").write_text("[")
    with pytest.raises(ModelError, match=r"seen\.json cannot be read"):
        read_seen(tmp_path / "package")


def test_a_fine_tuned_package_has_no_head(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    write_package(folder, append_head(mean_color(), HEAD), color_info())
    assert read_head(folder) is None


def test_a_damaged_head_is_one_sentence(make_package: Callable[..., Path]) -> None:
    folder = make_package()
    data = (folder / "head.npz").read_bytes()
    (folder / "head.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match=r"head\.npz cannot be read"):
        read_head(folder)


def test_a_failure_leaves_nothing_and_the_old_package_as_it_was(make_package: Callable[..., Path]) -> None:
    folder = make_package("package")

    with pytest.raises(ModelError, match="threshold nan for 'red'"):
        write_package(folder, append_head(mean_color(), HEAD), color_info(float("nan"), 0.1))
    assert [path.name for path in folder.parent.iterdir()] == ["package"]
    assert '"threshold": 0.5' in (folder / "attributes.json").read_text()


def test_a_package_is_replaced(make_package: Callable[..., Path]) -> None:
    folder = make_package("package")
    make_package("package", info=color_info(0.1, 0.2))
    assert '"threshold": 0.2' in (folder / "attributes.json").read_text()
    assert [path.name for path in folder.parent.iterdir()] == ["package"]
