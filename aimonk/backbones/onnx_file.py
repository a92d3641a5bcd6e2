"""An ONNX file as a backbone: where it lies, what its bytes are, and at what size it runs."""

from __future__ import annotations

import hashlib
import logging
import mmap
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BackboneError
from .input_spec import InputSpec, size_unknown
from .preprocessing import Preprocessing

if TYPE_CHECKING:
    from .onnx_network import OnnxNetwork

_LOG = logging.getLogger("aimonk.backbones")

_USUAL = ("model.onnx", "vision_model.onnx", "onnx/model.onnx", "onnx/vision_model.onnx")
"""Where `optimum` and model hubs put it in a folder."""

_LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])", re.DOTALL)
"""A StringStringEntryProto with the key `location`: the file that holds a tensor's data (onnx.proto)."""

_BLOCK = 1 << 20


@dataclass(frozen=True)
class OnnxFile:
    """An image network as `optimum` and `torch.onnx` export it.

    Attributes:
        path: the `.onnx` file; a large one keeps its weights in files beside it.
        spec: what images it wants.

    """

    path: Path
    spec: InputSpec

    def __str__(self) -> str:
        return f"{file_label(self.path)}.onnx"

    @property
    def preprocessing(self) -> Preprocessing:
        """From pixels 0 to 255 to the network's values.

        Raises:
            BackboneError: nothing says how pixels are normalized.

        """
        if self.spec.preprocessing is None:
            raise BackboneError(
                f"Nothing beside {self.path} says how its pixels are normalized; put its "
                "preprocessor_config.json there, or set features.mean and features.std (from 0 to 1)."
            )
        return self.spec.preprocessing

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex of the file, and of the files its weights lie in.

        Raises:
            BackboneError: a file cannot be read.

        """
        files = [self.path]
        try:
            files += [self.path.parent / name for name in _external(self.path)]
            digest = hashlib.sha256()
            for file in files:
                with file.open("rb") as stream:
                    while block := stream.read(_BLOCK):
                        digest.update(block)
        except OSError as error:
            raise BackboneError(
                f"Cannot read {files[-1] if error.filename is None else error.filename} ({error.strerror}), "
                f"a part of the backbone {self.path}; export it again with all of its files."
            ) from error
        return digest.hexdigest()

    @cached_property
    def own_size(self) -> tuple[int, int]:
        """Height and width in pixels: those of the specification, else those of the graph.

        Raises:
            BackboneError: neither says so, or the file is no image network.

        """
        from .onnx_network import declared_size, read_onnx

        size = self.spec.size or declared_size(read_onnx(self.path), self.path)
        if size is None:
            raise size_unknown(self.path)
        return size

    def size_at(self, resolution: float) -> tuple[int, int]:
        """Height and width in pixels at a multiple of its own size, where the graph runs at another size.

        The multiple is rounded to whole patches of a transformer, else to 32 pixels. Some exports run at one
        size only, such as transformers with learned positions; they keep it, which is logged.
        """
        from .onnx_network import size_that_runs

        if resolution == 1:
            return self.own_size
        found = size_that_runs(self.network(self.own_size), resolution)
        if found is None:
            _LOG.warning(
                "The backbone %s runs at %d x %d pixels only; features.resolution has no effect on it.",
                self.path,
                *self.own_size,
            )
        return found or self.own_size

    def network(self, size: tuple[int, int]) -> OnnxNetwork:
        """Read the graph for images of one size.

        Raises:
            BackboneError: it is no image network, or does not run at that size.

        """
        from .onnx_network import open_network

        return open_network(self.path, size)


def no_keras_model(file: OnnxFile) -> BackboneError:
    """The error where a Keras model is asked for, to be trained or saved."""
    return BackboneError(
        f"The backbone {file.path} is an ONNX network, of which there is no Keras model to fine-tune or to "
        "save: set training.mode to frozen, or give the network as a .keras file."
    )


def onnx_in(folder: Path) -> Path:
    """The network in a folder: the usual name, else the only `.onnx` file, else the only `.keras` file.

    Raises:
        BackboneError: there is none, or several without one of the usual names.

    """
    for name in _USUAL:
        if (folder / name).is_file():
            return folder / name
    found = sorted(folder.glob("*.onnx")) or sorted(folder.glob("*.keras"))
    if not found:
        raise BackboneError(f"The folder {folder} holds no .onnx file; export the network into it.")
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise BackboneError(f"The folder {folder} holds several networks ({names}); give the path of one.")
    return found[0]


def file_label(path: Path) -> str:
    """A short name for a network's file, of letters, digits, dots, dashes and underscores.

    It is the file's own, or that of its folder where the file's says nothing.

    >>> file_label(Path("dinov2-small/onnx/model.onnx"))
    'dinov2-small'
    """
    names = [path.stem, path.resolve().parent.name, path.resolve().parent.parent.name]
    dull = ("model", "vision_model", "backbone", "onnx", "")
    name = next((name for name in names if name not in dull), path.stem)
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII)


def _external(path: Path) -> list[str]:
    """Names of the files that hold the tensors of an ONNX file, in alphabetical order."""
    if path.stat().st_size == 0:  # cannot be mapped
        return []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        matches = _LOCATION.finditer(content)
        names = {content[match.end() : match.end() + match[1][0]] for match in matches}
    return sorted(name.decode("utf-8", "replace") for name in names)
