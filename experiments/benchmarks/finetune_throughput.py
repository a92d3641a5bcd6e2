"""Measure the images a second that fine-tuning gets through, against a plain `model.fit` on ready arrays.

    python experiments/benchmarks/finetune_throughput.py [--images 640] [--epochs 3] [--repeats 5]

MobileNet@0.25 on decoded photos of 288 pixels with one label per attribute, in turn:

- `model.fit`: Keras' own loop with Adam and its own binary cross-entropy; nothing is masked or augmented
- `fine-tuning`: aimonk's, with the masked and weighted loss, every loss kept, nothing augmented
- `augmented`: the same, augmented as `finetune` says

All train the same network. The first epoch of each, in which TensorFlow compiles, does not count; neither do
validation and checkpoints, which `model.fit` has none of.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from trials import SHARED, WEIGHTS, arguments, in_turn, medians, print_table, spread

from aimonk.backbones.build import build_backbone, import_keras
from aimonk.backbones.linear_head import LinearHead
from aimonk.backbones.pooling import readout
from aimonk.backbones.zoo import parse_backbone
from aimonk.config import FinetuneConfig
from aimonk.config_file import load_config
from aimonk.training.finetuning.fit_network import finetune
from aimonk.training.finetuning.network import choose_trainable, model_from_head
from aimonk.training.finetuning.pipeline import decode_images

LABELS = 23


class Ends:
    """An observer of aimonk's, and the time at which each epoch ended."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def iterations(self, first_step: int, losses: np.ndarray) -> None:
        """Losses are of no interest here."""

    def epoch(self, epoch: int, step: int, validation_loss: float | None) -> None:
        """Note the time."""
        self.seconds.append(time.perf_counter())

    def rate(self, images: int) -> float:
        """Images per second after the first epoch."""
        return images * (len(self.seconds) - 1) / (self.seconds[-1] - self.seconds[0])


class Contest:
    """The same images and labels for all; every contestant trains a new network.

    Args:
        images: how many.
        epochs: of each training, the first of which does not count.

    """

    def __init__(self, images: int, epochs: int) -> None:
        file = "finetune"
        self.config = load_config(
            file,
            ["features.backbone=mobilenet@0.25", f"features.weights={WEIGHTS}", "features.resolution=1.29"],
        )
        self.backbone = parse_backbone(self.config.features.backbone)
        self.readout = readout(self.config.features, self.backbone)
        paths = sorted((SHARED / "data" / "clothing" / "images").iterdir())[:images]
        self.images = decode_images(paths, self.readout.size)
        generator = np.random.default_rng(0)
        self.targets = generator.integers(0, 2, (images, LABELS)).astype(np.float32)
        self.epochs = epochs

    def network(self) -> Any:
        """A new network, its batch normalization frozen."""
        backbone, _ = build_backbone(self.backbone, self.config.features.weights, self.readout)
        width = backbone.output.shape[1]
        model = model_from_head(backbone, LinearHead(np.zeros((width, LABELS)), np.zeros(LABELS)))
        choose_trainable(model, 0)
        return model

    def plain(self) -> float:
        """Images per second of `model.fit`."""
        keras = import_keras()
        model, ends = self.network(), Ends()
        model.compile("adam", keras.losses.BinaryCrossentropy(from_logits=True))
        told = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.epoch(epoch, 0, None))
        batch = self.config.finetune.batch_size
        model.fit(self.images, self.targets, batch, self.epochs, verbose=0, callbacks=[told])
        return ends.rate(len(self.images))

    def ours(self, config: FinetuneConfig) -> float:
        """Images per second of aimonk's fine-tuning."""
        ends, everything = Ends(), np.arange(len(self.images))
        config = dataclasses.replace(config, epochs=self.epochs)
        finetune(
            self.network(),
            self.images,
            self.targets,
            everything,
            everything[:0],
            self.config.training,
            config,
            ends,
        )
        return ends.rate(len(self.images))


def main() -> None:
    """Print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--images", type=int, default=640)
    parser.add_argument("--epochs", type=int, default=3)
    given = parser.parse_args()
    contest = Contest(given.images, given.epochs)
    file = contest.config.finetune
    bare = dataclasses.replace(file, augment=())
    contestants: dict[str, Callable[[], float]] = {
        "model.fit": contest.plain,
        "fine-tuning": lambda: contest.ours(bare),
        f"augmented: {', '.join(file.augment)}": lambda: contest.ours(file),
    }
    results = in_turn(contestants, given.repeats)
    middle = medians(results)
    rows = [
        [name, middle[name], spread(rates), middle[name] / middle["model.fit"], goal]
        for (name, rates), goal in zip(results.items(), ("", "0.95", ""), strict=True)
    ]
    print_table(["training", "images/s, median", "range", "of model.fit", "goal"], rows)


if __name__ == "__main__":
    main()
