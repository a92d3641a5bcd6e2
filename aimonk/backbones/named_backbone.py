"""What `--backbone` names: a network of `keras.applications`, an ONNX file or folder, or a `.keras` file."""

from __future__ import annotations

from pathlib import Path

from ..config import FeaturesConfig
from ..errors import BackboneError, ConfigError
from .input_spec import read_input_spec
from .keras_file import KerasFile
from .onnx_file import OnnxFile, onnx_in
from .zoo import KerasApplication, parse_backbone

Backbone = KerasApplication | KerasFile | OnnxFile


def named_backbone(config: FeaturesConfig) -> Backbone:
    """Find the backbone that the settings name.

    A name with a path separator, or with the suffix `.onnx` or `.keras`, or that of a folder here, is a path;
    any other name is one of `keras.applications`.

    >>> str(named_backbone(FeaturesConfig("mobilenet@0.25")))
    'mobilenet@0.25'

    Raises:
        BackboneError: there is no such network or file, or it is of another kind.
        ConfigError: a setting does not go with that kind of backbone.
    """
    text = config.backbone.strip()
    path = Path(text).expanduser()
    if not ("/" in text or "\\" in text or path.suffix in (".onnx", ".keras") or path.is_dir()):
        if config.image_size or config.mean or config.std:
            raise ConfigError(
                "features.image_size, features.mean and features.std are for backbones from a file; "
                f"leave them out for {text}, whose own are known (features.resolution changes the size)."
            )
        return parse_backbone(text)
    if config.weights != "imagenet":
        raise ConfigError(f"The backbone {path} holds its own weights; leave out --weights.")
    file = _file(path)
    spec = read_input_spec(file, config)
    if file.suffix == ".onnx":
        return OnnxFile(file, spec)
    if config.mean or config.std:
        raise ConfigError(
            f"The backbone {path} takes pixels from 0 to 255; leave out features.mean and features.std."
        )
    return KerasFile(file, spec)


def _file(path: Path) -> Path:
    if path.is_dir():
        return onnx_in(path)
    if not path.is_file():
        raise BackboneError(f"There is no backbone {path}; give an existing .onnx or .keras file, or a name.")
    if path.suffix not in (".onnx", ".keras"):
        raise BackboneError(f"The backbone {path} is neither an .onnx nor a .keras file; export it as one.")
    return path
