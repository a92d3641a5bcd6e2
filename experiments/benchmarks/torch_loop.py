"""A plain PyTorch loop, and how many images a second it trains on; `finetune_rival.py` runs it.

    PYTHON torch_loop.py IMAGES.npy TARGETS.npy --network NAME [--epochs 3] [--batch 32] [--bf16]

It needs PyTorch and NumPy alone, so that any interpreter with them will do. The network ends in the mean of
its last map and a linear head. Masked binary cross-entropy, AdamW, one cycle, channels last; no augmentation.
The first epoch, in which buffers are made, does not count. The last line printed is the rate.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch import nn

LITE0 = (
    (1, 16, 1, 3, 1),
    (6, 24, 2, 3, 2),
    (6, 40, 2, 5, 2),
    (6, 80, 3, 3, 2),
    (6, 112, 3, 5, 1),
    (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)
"""Expansion, channels, blocks, kernel and stride of each stage."""

MOBILENET = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
"""Channels at width 1 and stride of each block."""


class Residual(nn.Module):  # type: ignore[misc]
    """What it is given, and what its layers make of that."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Add both."""
        return maps + self.layers(maps)


def convolution(before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolve and normalize."""
    layer = nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(after, eps=1e-3))


def active(*layers: nn.Module) -> nn.Sequential:
    """The layers, then ReLU6."""
    return nn.Sequential(*layers, nn.ReLU6(inplace=True))


def lite0() -> tuple[nn.Sequential, int]:
    """EfficientNet-Lite0 to its last map, and the channels of that."""
    layers, before = [active(convolution(3, 32, 3, 2))], 32
    for expansion, after, blocks, kernel, stride in LITE0:
        for number in range(blocks):
            inner, step = before * expansion, stride if number == 0 else 1
            wide = [active(convolution(before, inner, 1))] if expansion > 1 else []
            deep = active(convolution(inner, inner, kernel, step, inner))
            block = nn.Sequential(*wide, deep, convolution(inner, after, 1))
            layers.append(Residual(block) if step == 1 and before == after else block)
            before = after
    layers.append(active(convolution(before, 1280, 1)))
    return nn.Sequential(*layers), 1280


def mobilenet(width: float) -> tuple[nn.Sequential, int]:
    """MobileNet to its last map, and the channels of that."""
    before = int(32 * width)
    layers = [active(convolution(3, before, 3, 2))]
    for channels, stride in MOBILENET:
        after = int(channels * width)
        deep = active(convolution(before, before, 3, stride, before))
        layers += [deep, active(convolution(before, after, 1))]
        before = after
    return nn.Sequential(*layers), before


class Classifier(nn.Module):  # type: ignore[misc]
    """Pixels from 0 to 255, `(n, 3, h, w)`, to logits `(n, labels)`."""

    def __init__(self, network: str, labels: int) -> None:
        super().__init__()
        self.maps, channels = lite0() if network == "efficientnet-lite0" else mobilenet(0.25)
        self.head = nn.Linear(channels, labels)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalize, convolve, average, and weigh."""
        return self.head(self.maps(pixels / 127.5 - 1).mean((2, 3)))


def rate(given: argparse.Namespace) -> float:
    """Images per second after the first epoch."""
    images = torch.from_numpy(np.load(given.images)).permute(0, 3, 1, 2)  # channels last, as it lies
    targets = torch.from_numpy(np.load(given.targets))
    torch.manual_seed(0)
    model = Classifier(given.network, targets.shape[1]).to(memory_format=torch.channels_last).train()
    if given.frozen_norms:
        for layer in model.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.eval().requires_grad_(False)
    steps = -(-len(images) // given.batch) * given.epochs
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-3, total_steps=steps)
    ends = []
    for _ in range(given.epochs):
        for rows in torch.randperm(len(images)).split(given.batch):
            labels = targets[rows]
            with torch.autocast("cpu", torch.bfloat16, enabled=given.bf16):
                logits = model(images[rows].float().contiguous(memory_format=torch.channels_last))
            cells = nn.functional.binary_cross_entropy_with_logits(
                logits.float(), labels.clamp(min=0), reduction="none"
            )
            loss = (cells * (labels >= 0)).sum() / (labels >= 0).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        ends.append(time.perf_counter())
    return float(len(images) * (given.epochs - 1) / (ends[-1] - ends[0]))


def main() -> None:
    """Print the rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images")
    parser.add_argument("targets")
    parser.add_argument("--network", choices=("efficientnet-lite0", "mobilenet@0.25"), required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--frozen-norms", action="store_true")
    print(rate(parser.parse_args()))


if __name__ == "__main__":
    main()
