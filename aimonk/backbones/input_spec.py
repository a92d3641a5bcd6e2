"""What images a network wants: their size and how pixels are normalized, as the files beside it say."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import FeaturesConfig
from ..errors import BackboneError
from .preprocessing import Preprocessing

HUGGING_FACE = "preprocessor_config.json"
TIMM = "config.json"

SIDES = (8, 4096)
"""The smallest and the largest height or width in pixels that is believed."""

RESAMPLING = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
"""Pillow's filters by number, as Hugging Face writes them."""


@dataclass(frozen=True)
class InputSpec:
    """The input a network was trained on.

    Attributes:
        size: height and width in pixels after any crop; None where nothing says so.
        preprocessing: from pixels 0 to 255 to the network's values; None where nothing says so.
        crop: side of the crop as a share of the resized image; 1 where nothing was cropped.
        resampling: the filter that images were resized with.

    `crop` and `resampling` are for the record. aimonk has one decoder, which squashes the whole image to the
    size with antialiased bilinear filtering: a crop would hide what lies near the border from the model, and
    things appear larger anyway at the default `features.resolution`.
    """

    size: tuple[int, int] | None = None
    preprocessing: Preprocessing | None = None
    crop: float = 1.0
    resampling: str = "bilinear"


def read_input_spec(file: Path, config: FeaturesConfig) -> InputSpec:
    """Read the specification of a network's file; settings override what the files beside it say.

    Looked for are `preprocessor_config.json` (Hugging Face) and `config.json` (timm) in the file's folder,
    then in the one above it, since exports often lie in a folder `onnx/`.

    Args:
        file: the network.
        config: `image_size`, `mean` and `std` override the files.

    Raises:
        BackboneError: a file is there but is not JSON or holds something else than expected, the mean and
            the standard deviation that are set are not three numbers each, from 0 to 1, or images would be
            smaller or larger than `SIDES`.

    """
    spec = InputSpec()
    for folder in (file.parent, file.parent.parent):
        found = _read(folder)
        if found is not None:
            spec = found
            break
    size = (config.image_size, config.image_size) if config.image_size else spec.size
    if size and not all(SIDES[0] <= side <= SIDES[1] for side in size):
        said = "features.image_size says" if config.image_size else f"The files beside {file} say"
        raise BackboneError(
            f"{said} that its images have {size[0]} x {size[1]} pixels; give {SIDES[0]} to {SIDES[1]} in "
            "features.image_size."
        )
    return InputSpec(size, _from_settings(config) or spec.preprocessing, spec.crop, spec.resampling)


def _from_settings(config: FeaturesConfig) -> Preprocessing | None:
    if not (config.mean or config.std):
        return None
    if not len(config.mean) == len(config.std) == 3:
        raise BackboneError(
            "features.mean and features.std go together and need three numbers each, for red, green and "
            "blue; set both."
        )
    if not all(0 <= number <= 1 for number in (*config.mean, *config.std)):
        raise BackboneError(
            "features.mean and features.std are shares of the range of a pixel, from 0 to 1: divide numbers "
            "of pixels by 255."
        )
    return normalization(config.mean, config.std)


def _read(folder: Path) -> InputSpec | None:
    for name, parse in ((HUGGING_FACE, _hugging_face), (TIMM, _timm)):
        path = folder / name
        if not path.is_file():
            continue
        try:
            spec = parse(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
            raise BackboneError(
                f"{path} does not describe an image preprocessing ({_reason(error)}); "
                "mend it, or remove it and set features.image_size, features.mean and features.std."
            ) from error
        if spec is not None:
            return spec
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
        return f"it is no JSON: {error}"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    if isinstance(error, OSError):
        return error.strerror or "it cannot be read"
    if isinstance(error, ValueError):
        return str(error)
    return "a size, mean or standard deviation in it is written in no form that is known"


def _hugging_face(said: Mapping[str, Any]) -> InputSpec:
    size, crop = _side(said.get("size")), float(said.get("crop_pct") or 1.0)
    if said.get("crop_size") is not None and said.get("do_center_crop", True):
        cropped = _side(said["crop_size"])
        crop = cropped[0] / size[0] if cropped and size else 1.0
        size = cropped
    scale = float(said.get("rescale_factor", 1 / 255)) if said.get("do_rescale", True) else 1.0
    mean, std = (0.0,) * 3, (1.0,) * 3
    if said.get("do_normalize", True):
        mean, std = said["image_mean"], said["image_std"]
    flip = bool(said.get("do_flip_channel_order", False))
    resampling = RESAMPLING[int(said.get("resample", 2))]
    return InputSpec(size, normalization(mean, std, scale, flip), crop, resampling)


def _timm(said: Mapping[str, Any]) -> InputSpec | None:
    config = said.get("pretrained_cfg", said)
    if "mean" not in config:  # Hugging Face's model configuration has the same file name
        side = _side(said.get("image_size"))
        return InputSpec(side) if side else None
    size = config.get("input_size")
    side = (int(size[1]), int(size[2])) if size else None
    return InputSpec(
        side,
        normalization(config["mean"], config["std"]),
        float(config.get("crop_pct") or 1.0),
        str(config.get("interpolation", "bilinear")),
    )


def _side(size: Any) -> tuple[int, int] | None:
    """Height and width from a number, `{height, width}` or `{shortest_edge}`."""
    if isinstance(size, int | float):
        return int(size), int(size)
    if isinstance(size, Sequence) and not isinstance(size, str):
        return int(size[0]), int(size[1])
    if isinstance(size, Mapping):
        if "height" in size:
            return int(size["height"]), int(size["width"])
        if "shortest_edge" in size:
            return int(size["shortest_edge"]), int(size["shortest_edge"])
    return None


def size_unknown(path: Path) -> BackboneError:
    """The error for a network of which nothing says how large its images are."""
    return BackboneError(
        f"Nothing says how large the images of {path} are; put its preprocessor_config.json beside it, "
        "or set features.image_size."
    )


def normalization(
    mean: Sequence[float], std: Sequence[float], scale: float = 1 / 255, flip: bool = False
) -> Preprocessing:
    """Write `(pixel * scale - mean) / std` as one scale and one offset per channel.

    >>> normalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)).offset
    (-1.0, -1.0, -1.0)

    Raises:
        ValueError: there are not three channels, or a number is not finite or cannot be divided by.

    """
    if len(mean) != 3 or len(std) != 3:
        raise ValueError("mean and standard deviation need three numbers each, for red, green and blue")
    if not all(map(math.isfinite, (*mean, *std, scale))) or min(std) <= 0:
        raise ValueError("its mean must be finite, and its standard deviation above 0")
    return Preprocessing(
        flip,
        tuple(float(scale / s) for s in std),  # type: ignore[arg-type]
        tuple(float(-m / s) for m, s in zip(mean, std, strict=True)),  # type: ignore[arg-type]
    )
