from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.backbones.zoo import KerasApplication, backbone_names, parse_backbone
from aimonk.errors import BackboneError


@pytest.mark.parametrize(
    ("text", "name", "width", "function", "size"),
    [
        ("resnet50", "resnet50", 1.0, "ResNet50", (224, 224)),
        ("mobilenet@0.25", "mobilenet", 0.25, "MobileNet", (224, 224)),
        (" MobileNetV2@1.4 ", "mobilenetv2", 1.4, "MobileNetV2", (224, 224)),
        ("efficientnetv2b2", "efficientnetv2b2", 1.0, "EfficientNetV2B2", (260, 260)),
        ("nasnetlarge", "nasnetlarge", 1.0, "NASNetLarge", (331, 331)),
        ("vgg16@1", "vgg16", 1.0, "VGG16", (224, 224)),
    ],
)
def test_a_backbone_is_a_name_and_a_width(
    text: str, name: str, width: float, function: str, size: tuple[int, int]
) -> None:
    backbone = parse_backbone(text)
    assert (backbone.name, backbone.width, backbone.function, backbone.size) == (name, width, function, size)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("resnet5", "There is no backbone named 'resnet5'; did you mean resnet50"),
        ("???", "There is no backbone named '???'; choose one of convnextbase, convnextlarge"),
        ("", "There is no backbone named ''"),
        ("mobilenet@wide", "The width in backbone 'mobilenet@wide' is not a number above 0"),
        ("mobilenet@", "is not a number above 0"),
        ("mobilenet@0", "is not a number above 0"),
        ("mobilenet@-1", "is not a number above 0"),
        ("mobilenet@nan", "is not a number above 0"),
        ("mobilenet@inf", "is not a number above 0"),
        ("resnet50@0.5", "Backbone resnet50 comes in one width only; leave out @0.5"),
    ],
)
def test_other_names_are_refused_with_advice(text: str, message: str) -> None:
    with pytest.raises(BackboneError) as error:
        parse_backbone(text)
    assert message in str(error.value)


@given(name=st.sampled_from(backbone_names()), width=st.sampled_from([1.0, 0.25, 0.5, 0.35, 1.4]))
def test_text_of_a_backbone_names_it(name: str, width: float) -> None:
    backbone = KerasApplication(name, width if KerasApplication(name).has_width else 1.0)
    assert parse_backbone(str(backbone)) == backbone


@pytest.mark.slow
def test_the_table_is_the_catalog_of_keras() -> None:
    import inspect

    from aimonk.backbones.build import import_keras

    applications = import_keras().applications
    functions = {n: f for n, f in vars(applications).items() if inspect.isfunction(f) and n[0].isupper()}
    assert sorted(functions) == sorted(KerasApplication(name).function for name in backbone_names())
    for name in backbone_names():
        function = functions[KerasApplication(name).function]
        assert ("alpha" in inspect.signature(function).parameters) == KerasApplication(name).has_width


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenetv2", "efficientnetb1", "nasnetmobile"])
def test_sizes_are_those_of_keras(name: str) -> None:
    from aimonk.backbones.build import import_keras

    backbone = parse_backbone(name)
    with_top = getattr(import_keras().applications, backbone.function)(weights=None)
    assert with_top.input_shape == (None, *backbone.size, 3)
