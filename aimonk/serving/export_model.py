"""A model in the formats of other tools, made on demand from its package.

- `openvino`: the package's own graph; any model
- `keras`: the backbone built again from its weights, and the package's head; not of a fine-tuned model, whose
  weights are in the graph alone, nor of one with an ONNX backbone, which never was a Keras network

OpenVINO reads ONNX but does not write it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ..atomic_files import temporary_beside
from ..config import FeaturesConfig
from ..errors import AimonkError, ModelError
from ..runtime.inference import CompiledGraph, read_graph
from ..runtime.package_digests import check_digests
from ..runtime.record import GRAPH, GRAPH_WEIGHTS, PackageInfo, read_info
from .package import read_head

Format = Literal["openvino", "keras"]
_TOLERANCE = 1e-3
"""Largest difference of logits that two engines may have, since they sum in another order."""


def export_model(
    package: Path, format: str, out: Path, features: FeaturesConfig | None = None, name: str = ""
) -> Path:
    """Write the model of a package to `out`, which appears whole or not at all, and return `out`.

    Args:
        package: folder of a package.
        format: one of `Format`.
        out: for `openvino` a folder, which must not exist; for `keras` a file that ends in `.keras`.
        features: for `keras`, the settings that the model was trained with; its run keeps them.
        name: what the user calls the model; by default the folder.

    Raises:
        ModelError: the package is broken; or the format is not available for this model.
        AimonkError: `out` exists, has another suffix, or cannot be written.
        BackboneError: the backbone's weights are not there.

    Example:
        >>> export_model(package, "openvino", Path("dresses"))
        PosixPath('dresses')
    """
    info = read_info(package)
    check_digests(package)
    name = name or str(package)
    _check_available(package, info, format, name)
    if out.exists():
        raise AimonkError(f"{out} exists already; name another output, or remove it.")
    temporary = temporary_beside(out)
    if format == "keras":
        temporary = temporary.with_suffix(".keras")
    try:
        if format == "openvino":
            _copy_graph(package, temporary)
        else:
            _save_keras(package, info, out, temporary, features, name)
        temporary.rename(out)
    except OSError as error:
        raise AimonkError(f"The model cannot be written to {out}: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.unlink(missing_ok=True)
    return out


def _check_available(package: Path, info: PackageInfo, format: str, name: str) -> None:
    """Refuse a format in which there is no such model.

    Raises:
        ModelError: there is none.
    """
    of_onnx = info.backbone.endswith(".onnx")
    has_keras = not of_onnx and read_head(package) is not None
    if format not in get_args(Format):
        formats = "openvino or keras" if has_keras else "openvino only"
        onnx = {True: "; tf2onnx makes ONNX of a Keras model", False: ", of which nothing makes ONNX"}
        raise ModelError(
            f"Nothing is exported as {format}; the model {name} can be exported as {formats}"
            f"{onnx[has_keras] if format == 'onnx' else ''}."
        )
    if format == "keras" and of_onnx:
        raise ModelError(
            f"The backbone of the model {name} is an ONNX network, of which there is no Keras model; export "
            "it as openvino."
        )
    if format == "keras" and not has_keras:
        raise ModelError(
            f"The model {name} is fine-tuned, so its Keras weights are nowhere but in its OpenVINO graph; "
            "export it as openvino."
        )


def _copy_graph(package: Path, folder: Path) -> None:
    folder.mkdir()
    for name in (GRAPH, GRAPH_WEIGHTS):
        shutil.copyfile(package / name, folder / name)


def _save_keras(
    package: Path, info: PackageInfo, out: Path, file: Path, features: FeaturesConfig | None, name: str
) -> None:
    head = read_head(package)
    assert head is not None, "only a frozen model is saved as Keras"
    if out.suffix != ".keras":
        raise AimonkError(f"A Keras model is a file that ends in .keras; rename {out}.")
    if features is None:
        raise ModelError(
            f"The settings that the model {name} was trained with are unknown; give it as runs:/ID/model."
        )
    from ..features.extractor import FeatureExtractor
    from ..training.finetuning.network import model_from_head

    backbone = FeatureExtractor(features)
    if backbone.digest != info.weights:
        raise ModelError(
            f"The backbone's weights are not those that the model {name} was trained with (SHA-256 "
            f"{backbone.digest[:12]} instead of {info.weights[:12]}); give it the same file."
        )
    model = model_from_head(backbone.keras_model, head)
    images = np.random.default_rng(0).integers(0, 256, (2, *info.input_size, 3), dtype=np.uint8)
    served = CompiledGraph(read_graph(package, info), info, throughput=False).infer(images)
    difference = float(np.abs(np.asarray(model(images)) - served).max())
    if difference > _TOLERANCE and info.precision == "f32":
        raise ModelError(
            f"The Keras model's logits differ by {difference:.2g} from those of {name}, so it is not "
            "written; the settings are those of another model."
        )
    model.save(file)
