"""Measure the images a second that fine-tuning gets through, against a plain PyTorch loop.

    python experiments/benchmarks/finetune_rival.py --torch-python PYTHON [--network NAME] [--size 224]

PYTHON is an interpreter that has PyTorch and NumPy; `torch_loop.py` runs in it, and aimonk does not need it.
In turn, on the same network:

- `PyTorch`: channels last, batch normalization trained, as such loops do
- `PyTorch, bf16`: the same under autocast
- `PyTorch, norms frozen`: batch normalization left as it is, as aimonk leaves it
- `fine-tuning`: aimonk's own loop on that network, the mean of its last map and a head
- `finetune`: as the recipe has it, with every scale, the palette and augmentation

All train on the same decoded photos and labels in batches of the same size, in f32 but for bf16. The first
epoch of each does not count. Goal: no slower than the fastest loop of PyTorch.
"""

from __future__ import annotations

import dataclasses
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from finetune_throughput import LABELS, Ends
from trials import SHARED, WEIGHTS, arguments, in_turn, medians, print_table, spread

from aimonk.backbones.build import build_backbone
from aimonk.backbones.linear_head import LinearHead
from aimonk.backbones.named_backbone import named_backbone
from aimonk.backbones.pooling import readout
from aimonk.config import Config
from aimonk.config_file import load_config
from aimonk.training.finetuning.fit_network import finetune
from aimonk.training.finetuning.network import model_from_head
from aimonk.training.finetuning.pipeline import decode_images

NETWORKS = {
    "efficientnet-lite0": str(SHARED / "weights" / "efficientnet-lite0" / "backbone.keras"),
    "mobilenet@0.25": "mobilenet@0.25",
}
BARE = ("features.pooling=mean", "features.colors=0", "finetune.augment=[]", "finetune.dropout=0")


def settings(network: str, size: int, *more: str) -> Config:
    """The recipe on images of `size` pixels, with a few settings changed."""
    named = [f"features.backbone={NETWORKS[network]}", f"features.resolution={size / 224}"]
    if network == "mobilenet@0.25":
        named.append(f"features.weights={WEIGHTS}")
    return load_config("finetune", [*named, *more])


def ours(config: Config, images: np.ndarray, targets: np.ndarray, epochs: int) -> float:
    """Images per second of aimonk's fine-tuning."""
    backbone = named_backbone(config.features)
    network, _ = build_backbone(backbone, config.features.weights, readout(config.features, backbone))
    head = LinearHead(np.zeros((network.output.shape[1], LABELS), np.float32), np.zeros(LABELS, np.float32))
    model = model_from_head(network, head, dropout=config.finetune.dropout)
    ends, everything = Ends(), np.arange(len(images))
    second = dataclasses.replace(config.finetune, epochs=epochs)
    finetune(model, images, targets, everything, everything[:0], config.training, second, ends)
    return ends.rate(len(images))


def theirs(command: list[str], *options: str) -> float:
    """Images per second of the loop in PyTorch."""
    answer = subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout
    return float(answer.split()[-1])


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__, repeats=3)
    parser.add_argument("--torch-python", required=True)
    parser.add_argument("--network", choices=tuple(NETWORKS), default="efficientnet-lite0")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()
    bare, full = settings(given.network, given.size, *BARE), settings(given.network, given.size)
    paths = sorted((SHARED / "data" / "clothing" / "images").iterdir())[: given.images]
    images = decode_images(paths, (given.size, given.size))
    targets = np.random.default_rng(0).integers(-1, 2, (len(images), LABELS)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("images.npy", "targets.npy")]
        for file, values in zip(files, (images, targets), strict=True):
            np.save(file, values)
        script = str(Path(__file__).with_name("torch_loop.py"))
        command = [given.torch_python, script, *map(str, files), "--network", given.network]
        command += ["--epochs", str(given.epochs), "--batch", str(bare.finetune.batch_size)]
        contestants: dict[str, Callable[[], float]] = {
            "PyTorch": partial(theirs, command),
            "PyTorch, bf16": partial(theirs, command, "--bf16"),
            "PyTorch, norms frozen": partial(theirs, command, "--frozen-norms"),
            "fine-tuning": partial(ours, bare, images, targets, given.epochs),
            "finetune": partial(ours, full, images, targets, given.epochs),
        }
        results = in_turn(contestants, given.repeats)
    middle = medians(results)
    best = max(rate for name, rate in middle.items() if name.startswith("PyTorch"))
    rows = [
        [name, middle[name], spread(rates), middle[name] / best, "1" if name == "fine-tuning" else ""]
        for name, rates in results.items()
    ]
    what = f"{given.network}, {given.size} px"
    header = [what, "images/s, median", "range", "of PyTorch", "goal"]
    print_table(header, rows)


if __name__ == "__main__":
    main()
