from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from aimonk.backbones.catalog import list_backbones
from aimonk.backbones.published_weights import PUBLISHED
from aimonk.backbones.zoo import backbone_names, parse_backbone
from aimonk.errors import BackboneError

from .networks import WIDTH, VisionTransformer, describe


def test_every_network_of_keras_is_listed_under_its_name() -> None:
    names = [info.name for info in list_backbones()]
    assert len(names) == len(set(names))
    assert {name.split("@")[0] for name in names} == set(backbone_names())
    assert [str(parse_backbone(name)) for name in names] == names


def test_weights_are_at_hand_where_keras_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mobilenet_2_5_224_tf_no_top.h5").touch()
    assert [info.name for info in list_backbones() if info.weights_at_hand] == ["mobilenet@0.25"]


def test_a_file_is_listed_alone_with_what_it_is(tmp_path: Path) -> None:
    network = VisionTransformer(1)
    path = network.save(tmp_path / "model.onnx")
    describe(tmp_path)
    (found,) = list_backbones([str(path)])
    assert (found.name, found.height, found.width) == (str(path), 32, 32)
    assert found.dimension == 2 * WIDTH  # class token and mean
    stored = network.kernel.size + network.extra.size + network.projections.size
    stored += network.positions.size if network.positions is not None else 0
    assert found.parameters >= stored
    assert found.weights_at_hand


def test_named_networks_are_listed_in_their_order() -> None:
    found = list_backbones(["vgg16", "mobilenet@0.25"])
    assert [(info.name, info.dimension) for info in found] == [("vgg16", 512), ("mobilenet@0.25", 256)]


def test_a_width_without_weights_is_refused_in_a_sentence() -> None:
    with pytest.raises(
        BackboneError, match="no ImageNet weights for mobilenet@0.33.* for mobilenet@0.25, mob"
    ):
        list_backbones(["mobilenet@0.33"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet@0.25", "mobilenetv2@1.4", "densenet121"])
def test_the_table_is_what_keras_builds(name: str) -> None:
    from aimonk.backbones.build import import_keras

    keras = import_keras()
    backbone = parse_backbone(name)
    function = getattr(keras.applications, backbone.function)
    options = {"alpha": backbone.width} if "alpha" in inspect.signature(function).parameters else {}
    model = function(include_top=False, weights=None, input_shape=(*backbone.size, 3), **options)
    item = next(item for item in PUBLISHED if item.name == name)
    assert (model.count_params(), model.output.shape[-1]) == (item.parameters, item.channels)
