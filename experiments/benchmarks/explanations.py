"""Measure explanations: are they exact, do they lie on the right part, does removing the evidence matter?

    python experiments/benchmarks/explanations.py MODEL DATA_FOLDER [--images 200] [--occluded 40]
    python experiments/benchmarks/explanations.py MODEL --demo [--images 60] [--occluded 20]

`MODEL` is any URI of a model. With a folder of photos and `labels.csv` beside it: the largest difference
between the logit and baseline plus contributions; the time of a server's explained answer by that of a plain
one; and how far the logit of positives falls when the tenth of the image is painted gray that contributes
most, compared with a random tenth, and on `--occluded` photos with the tenths that occlusion (a gray window
of a sixth of the side slid over the image, 121 predictions) and Grad-CAM of the last map choose.

With `--demo` the model is one of the demo's drawings. New ones are drawn, each with and without a part, so
that the pixels of the part are known: how much of the cell with most evidence lies on it, by contributions,
occlusion and Grad-CAM, and how many times the part's share of the image that is.

Measured 2026-11-25: see experiments/README.md.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from aimonk.config import Config
from aimonk.data.dataset import read_dataset
from aimonk.data.demo.draw_demo import SHARES
from aimonk.data.demo.drawing import draw_dress
from aimonk.runtime.contributions import GRAY, Explainer
from aimonk.runtime.decoder import decode
from aimonk.runtime.predictor import Predictor
from aimonk.tracking.logged_model import model_package

PARTS = ("belt", "sun_hat", "long_sleeves")
SHARE = 0.1
"""Of the image's cells, painted gray."""


def painted(image: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """The image with the cells gray that `(rows, columns) bool` selects."""
    rows = np.arange(image.shape[0]) * cells.shape[0] // image.shape[0]
    columns = np.arange(image.shape[1]) * cells.shape[1] // image.shape[1]
    return np.where(cells[np.ix_(rows, columns)][..., None], np.uint8(GRAY), image)


def top(values: np.ndarray) -> np.ndarray:
    """`(rows, columns) bool`: the tenth with the largest values."""
    count = round(SHARE * values.size)
    chosen = np.zeros(values.size, bool)
    chosen[np.argsort(-values, axis=None, kind="stable")[:count]] = True
    return chosen.reshape(values.shape)


def occlusion(predictor: Predictor, image: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """`(L, rows, columns)`: the mean fall of the logit over all gray windows that cover a cell."""
    side = [max(1, cells // 6) for cells in grid]
    whole = predictor.logits(image[None])[0]
    falls = np.zeros((len(whole), *grid))
    times = np.zeros(grid)
    for row in range(0, grid[0] - side[0] + 1, max(1, side[0] // 2)):
        for column in range(0, grid[1] - side[1] + 1, max(1, side[1] // 2)):
            cells = np.zeros(grid, bool)
            cells[row : row + side[0], column : column + side[1]] = True
            falls[:, cells] += (whole - predictor.logits(painted(image, cells)[None])[0])[:, None]
            times += cells
    return falls / np.maximum(times, 1)


def grad_cam(explainer: Explainer, image: np.ndarray) -> np.ndarray:
    """`(L, rows, columns)`: Selvaraju et al. (ICCV 2017) on the last map; the gradient is the kernel."""
    found = explainer.graph.terms
    first = found[0].term
    same = [t.term for t in found if t.term.values == first.values and t.term.offset is None]
    kernel = sum(explainer.graph.head.kernel[t.start : t.start + t.width] for t in same)
    output = found[0].output
    assert output is not None, "the first features have no map"
    maps = explainer.outputs(image[None])[output][0]
    cam: np.ndarray = np.maximum(np.einsum("chw,cl->lhw", maps, kernel), 0)
    rows = np.arange(explainer.grid[0]) * maps.shape[1] // explainer.grid[0]
    columns = np.arange(explainer.grid[1]) * maps.shape[2] // explainer.grid[1]
    return cam[:, rows[:, None], columns]


def measure_photos(package: Path, folder: Path, count: int, occluded: int) -> None:
    """Print exactness, time and what removal does."""
    explainer, predictor = Explainer(package), Predictor(package)
    data = read_dataset(folder, None, Config(), keep_unlearnable=True)
    order = [data.attributes.index(name) for name in explainer.info.names]
    generator = np.random.default_rng(0)
    rows = generator.permutation(len(data))[:count]
    error = 0.0
    falls: dict[str, list[float]] = {name: [] for name in ("contributions", "random")}
    rivals: dict[str, list[float]] = {
        name: [] for name in ("contributions", "random", "occlusion", "grad-cam")
    }
    for number, row in enumerate(rows):
        image = decode(data.paths[row].read_bytes(), explainer.info.input_size)
        (found,) = explainer.contributions(image[None])
        whole = predictor.logits(image[None])[0]
        error = max(
            error, float(np.abs(found.baseline + found.elsewhere + found.places.sum((1, 2)) - whole).max())
        )
        chance = top(generator.random(explainer.grid))
        slow = occlusion(predictor, image, explainer.grid) if number < occluded else None
        cam = grad_cam(explainer, image) if number < occluded else None

        def fall(cells: np.ndarray, j: int, image: np.ndarray = image, whole: np.ndarray = whole) -> float:
            return float(whole[j] - predictor.logits(painted(image, cells)[None])[0, j])

        for j in np.flatnonzero(data.targets[row, order] == 1).tolist():
            ours, random = fall(top(found.places[j]), j), fall(chance, j)
            falls["contributions"].append(ours)
            falls["random"].append(random)
            if slow is not None and cam is not None:
                for name, value in zip(
                    rivals, (ours, random, fall(top(slow[j]), j), fall(top(cam[j]), j)), strict=True
                ):
                    rivals[name].append(value)
    print(f"largest difference of the sum from the logit, {len(rows)} photos: {error:.1e}")
    better = np.mean(np.array(falls["contributions"]) > np.array(falls["random"]))
    print(f"positives: {len(falls['random'])}; the logit falls further than at random in {better:.1%}")
    print("| the tenth painted gray | logit falls by (mean) | further than at random |\n|:---|---:|---:|")
    for name, values in rivals.items():
        if not values:
            continue
        share = np.mean(np.array(values) > np.array(rivals["random"]))
        print(f"| {name} | {np.mean(values):.2f} | {share:.0%} |")
    print_time(predictor, [data.paths[row].read_bytes() for row in rows[:50]])


def print_time(predictor: Predictor, files: list[bytes]) -> None:
    """Print the time of one photo, decoding included: the best of three rounds."""

    def seconds(answer: Callable[[bytes], object]) -> float:
        begin = time.perf_counter()
        for file in files:
            answer(file)
        return (time.perf_counter() - begin) / len(files)

    plain = min(seconds(lambda file: predictor.predict([file])) for _ in range(3))
    explained = min(seconds(lambda file: list(predictor.explain([file]))) for _ in range(3))
    times = explained / plain
    print(f"predicted in {1e3 * plain:.1f} ms, explained in {1e3 * explained:.1f} ms: {times:.2f} times")


def encoded(picture: Image.Image) -> bytes:
    """A JPEG, as the demo's are."""
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=88)
    return content.getvalue()


def measure_drawings(package: Path, count: int, occluded: int) -> None:
    """Print how much of the place with most evidence lies on the right part."""
    explainer, predictor = Explainer(package), Predictor(package)
    rows, columns = explainer.grid
    print("| part | its share of the image | contributions | occlusion | grad-cam |")
    print("|:---|---:|---:|---:|---:|")
    for part in PARTS:
        j = explainer.info.names.index(part)
        generator = np.random.default_rng(5)
        areas: list[float] = []
        hits: dict[str, list[float]] = {"contributions": [], "occlusion": [], "grad-cam": []}
        for number in range(count):
            others = {name: bool(generator.random() < share) for name, share in SHARES.items()}
            with_it, without = (
                draw_dress({**others, part: present}, np.random.default_rng((99, number)))
                for present in (True, False)
            )
            differs = np.abs(np.asarray(with_it, int) - np.asarray(without, int)).max(axis=2) > 12
            down = np.arange(differs.shape[0]) * rows // differs.shape[0]
            across = np.arange(differs.shape[1]) * columns // differs.shape[1]
            image = decode(encoded(with_it), explainer.info.input_size)
            maps = {"contributions": explainer.contributions(image[None])[0].places[j]}
            maps["grad-cam"] = grad_cam(explainer, image)[j]
            if number < occluded:
                maps["occlusion"] = occlusion(predictor, image, explainer.grid)[j]
            areas.append(float(differs.mean()))
            for name, places in maps.items():
                row, column = np.unravel_index(places.argmax(), places.shape)
                hits[name].append(float(differs[np.ix_(down == row, across == column)].mean()))
        area = float(np.mean(areas))
        found = [f"{np.mean(values):.2f} ({np.mean(values) / area:.0f} times)" for values in hits.values()]
        print(f"| {part} | {area:.3f} | {' | '.join(found)} |", flush=True)


def main() -> None:
    """Measure one model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("data", nargs="?", type=Path)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--occluded", type=int, default=40)
    given = parser.parse_args()
    package = model_package(given.model)
    if given.demo:
        measure_drawings(package, given.images, given.occluded)
    else:
        measure_photos(package, given.data, given.images, given.occluded)


if __name__ == "__main__":
    main()
