from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimonk.backbones.preprocessing import Preprocessing, probe_preprocessing
from aimonk.errors import BackboneError


def test_caffe_mode_reverses_channels_and_subtracts_means() -> None:
    form = probe_preprocessing(lambda x: x[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32))
    assert form.flip
    np.testing.assert_allclose(form.scale, [1, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(form.offset, [-103.939, -116.779, -123.68], rtol=1e-6)
    # RGB (10, 20, 30): blue first, 30 - 103.939 = -73.939, 20 - 116.779, 10 - 123.68
    np.testing.assert_allclose(form(np.array([10, 20, 30])), [-73.939, -96.779, -113.68], rtol=1e-5)


def test_torch_mode_scales_each_channel() -> None:
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    deviation = np.array([0.229, 0.224, 0.225], np.float32)
    form = probe_preprocessing(lambda x: (x / 255 - mean) / deviation)
    assert not form.flip
    np.testing.assert_allclose(form.scale, 1 / (255 * deviation), rtol=1e-6)
    np.testing.assert_allclose(form.offset, -mean / deviation, rtol=1e-6)


def test_no_preprocessing_is_the_identity() -> None:
    assert probe_preprocessing(lambda x: x) == Preprocessing(False, (1.0,) * 3, (0.0,) * 3)


@given(
    flip=st.booleans(),
    scale=st.tuples(*[st.floats(0.001, 2.0)] * 3),
    offset=st.tuples(*[st.floats(-200.0, 200.0)] * 3),
)
def test_every_affine_form_is_found(
    flip: bool, scale: tuple[float, float, float], offset: tuple[float, float, float]
) -> None:
    truth = Preprocessing(flip, scale, offset)
    found = probe_preprocessing(lambda x: truth(x).astype(np.float32))
    assert found.flip == flip
    np.testing.assert_allclose(found.scale, scale, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.offset, offset, rtol=0, atol=2e-5)


@pytest.mark.parametrize("other", [np.square, np.sqrt, lambda x: x - x.mean(), lambda x: x[:, ::-1]])
def test_anything_else_is_refused(other: object) -> None:
    with pytest.raises(BackboneError, match="not a scale and an offset per channel"):
        probe_preprocessing(other)  # type: ignore[arg-type]
