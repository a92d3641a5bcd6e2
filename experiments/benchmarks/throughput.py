"""Measure images per second from files, against the bare engine on ready arrays and against MLflow's own way.

    python experiments/benchmarks/throughput.py [--data DIR] [--full-size DIR] [--images 1000] [--repeats 5]
    python experiments/benchmarks/throughput.py --backbone FILE.onnx ...

The seed's ResNet50 with random weights, in turn, on as many files as `--images` says, which are copies with
bytes of their own:

- `bare engine`: OpenVINO's AsyncInferQueue on decoded arrays in memory, at the batch size that is fastest
- `embedded`: what `aimonk embed` does, files to an empty feature store, its engine opened each time
- `scored`: what `aimonk score` does, files to a Parquet table, with the model package open
- `Keras, pyfunc`: the same network logged by `mlflow.keras`, called on batches of 32 decoded by Pillow
- `embedded, full size` and `scored, full size`: the same of photos as they come from a camera or a shop

All of OpenVINO's compute in the precision that aimonk chose. Prints medians and the ratios that matter.

With `--backbone` the default recipe reads its features off that ONNX network. Instead of Keras there is
`network alone`: the file as it was exported, on prepared pixels, without the pyramid and the palette that the
others read.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rivals import Bare, KerasModel, rate
from trials import SHARED, arguments, copies, in_turn, medians, print_table, spread

from aimonk.backbones.linear_head import LinearHead, append_head
from aimonk.backbones.onnx_file import OnnxFile
from aimonk.config_file import load_config
from aimonk.features.cache_key import FeatureKey
from aimonk.features.embedding import fill_store
from aimonk.features.extractor import FeatureExtractor
from aimonk.runtime.decoder import decode
from aimonk.runtime.predictor import Predictor
from aimonk.runtime.record import Attribute, PackageInfo
from aimonk.serving.batch_scoring import score
from aimonk.serving.package import write_package

OUTPUTS = 4


@dataclass(frozen=True)
class Files:
    """A folder of images and what a feature store knows them by."""

    folder: Path
    pairs: tuple[tuple[str, Path], ...]

    @staticmethod
    def of(folder: Path) -> Files:
        """Hash every file."""
        paths = sorted(folder.iterdir())
        return Files(folder, tuple((hashlib.sha256(path.read_bytes()).hexdigest(), path) for path in paths))


def embedded(files: Files, backbone: FeatureExtractor, key: FeatureKey) -> float:
    """Images per second from files to an empty store."""
    shutil.rmtree(backbone.store / key.folder, ignore_errors=True)
    passes: list[int] = []

    def work() -> None:
        filled = fill_store(files.pairs, backbone.config, backbone.store, backbone=backbone)
        passes.append(filled.forward_passes)

    reached = rate(len(files.pairs), work)
    if passes != [len(files.pairs)]:
        raise SystemExit(f"{passes} forward passes were made for {len(files.pairs)} files.")
    return reached


def package(folder: Path, backbone: FeatureExtractor, key: FeatureKey) -> Path:
    """A model package with a head drawn at random."""
    import openvino as ov

    width = ov.Core().read_model(backbone.graph).outputs[0].get_partial_shape()[1].get_length()
    kernel = np.random.default_rng(0).normal(0, 0.01, (width, OUTPUTS)).astype(np.float32)
    graph = append_head(backbone.graph, LinearHead(kernel, np.zeros(OUTPUTS, np.float32)))
    attributes = tuple(Attribute(f"attr{j}", 0.5) for j in range(OUTPUTS))
    info = PackageInfo(attributes, backbone.size, "bf16" if key.precision == "bf16" else "f32", key.backbone)
    write_package(folder, graph, info)
    return folder


def main() -> None:
    """Print both tables."""
    parser = arguments(__doc__)
    parser.add_argument("--full-size", type=Path, default=SHARED / "data" / "aimonk_full_size" / "images")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--backbone", type=Path, help="an ONNX network, instead of the seed's ResNet50")
    given = parser.parse_args()
    if given.backbone:
        config = load_config(None, [f"features.backbone={given.backbone}"])
    else:
        config = load_config("notebook", ["features.weights=none"])
    with tempfile.TemporaryDirectory(prefix="aimonk-benchmark-") as name:
        folder = Path(name)
        files, large = (
            Files.of(copies(sources, folder / kind, given.images))
            for kind, sources in (("small", given.data), ("large", given.full_size))
        )
        backbone = FeatureExtractor(config.features, folder / "store")
        key = backbone.key()
        pixels = np.stack([decode(path.read_bytes(), backbone.size) for _, path in files.pairs])
        bare = Bare(backbone.graph, key.precision, pixels)
        predictor = Predictor(package(folder / "package", backbone, key), throughput=True)
        contestants = {
            "bare engine": bare.run,
            "embedded": lambda: embedded(files, backbone, key),
            "scored": lambda: _scored(predictor, files),
            "embedded, full size": lambda: embedded(large, backbone, key),
            "scored, full size": lambda: _scored(predictor, large),
        }
        other, rival = _rival(backbone, key, pixels, files, folder)
        results = in_turn({**contestants, other: rival}, given.repeats)
    _print(results, f"{key.precision}, batch {bare.batch}", other)


def _rival(
    backbone: FeatureExtractor, key: FeatureKey, pixels: np.ndarray, files: Files, folder: Path
) -> tuple[str, Callable[[], float]]:
    """Keras through MLflow, or an ONNX network without what is read off it."""
    if isinstance(backbone.backbone, OnnxFile):
        planes = np.zeros((len(pixels), 3, *backbone.size), np.float32)
        return "network alone", Bare(backbone.backbone.path, key.precision, planes).run
    plain = KerasModel(folder / "keras", backbone.size, OUTPUTS)
    return "Keras, pyfunc", lambda: plain.run([path for _, path in files.pairs])


def _scored(predictor: Predictor, files: Files) -> float:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "scores.parquet"
        return rate(len(files.pairs), lambda: score(predictor, files.folder, out))


def _print(results: dict[str, list[float]], engine: str, other: str) -> None:
    rates = medians(results)
    goals = {"embedded": "0.90", "scored": "0.90", "embedded, full size": "0.80", "scored, full size": "0.80"}
    if other == "Keras, pyfunc":
        goals |= {"embedded": "0.90, 2.5", "scored": "0.90, 2.5"}
    rows = [
        [name, rates[name], spread(reached), rates[name] / rates["bare engine"], rates[name] / rates[other]]
        for name, reached in results.items()
    ]
    header = ["images/s, median", "range", "of the bare engine", f"of {other}", "goals"]
    print_table([f"contestant ({engine})", *header], [[*row, goals.get(str(row[0]), "")] for row in rows])


if __name__ == "__main__":
    main()
