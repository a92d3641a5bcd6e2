from __future__ import annotations

import dataclasses
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from aimonk.errors import ImagesError, ModelError
from aimonk.runtime.inference import CompiledGraph
from aimonk.runtime.package_digests import write_digests
from aimonk.runtime.prediction import Prediction
from aimonk.runtime.predictor import BATCH, MANY, Predictor
from aimonk.runtime.request_limits import BusyError, Limits
from tests.conftest import ROOT

from ..serving.conftest import HEAD, color_info, plain_image


def sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


@pytest.fixture(scope="module")
def predictor(package: Path) -> Predictor:
    return Predictor(package)


def test_probabilities_are_those_of_the_logits(predictor: Predictor) -> None:
    (answer,) = predictor.predict([plain_image(200, 9, 250)])
    assert answer.error is None
    assert answer.predicted_attributes == ("red",)
    np.testing.assert_allclose(answer.probabilities, [sigmoid(1), sigmoid(-2)], atol=1e-6)


def test_present_is_at_least_the_threshold(make_package: Callable[..., Path]) -> None:
    logit_zero = plain_image(100, 0, 0)  # red: 100 / 100 - 1 = 0, hence exactly 0.5
    at, above = (
        Predictor(make_package(str(t), info=color_info(t, 1.0))) for t in (0.5, np.nextafter(0.5, 1))
    )
    assert at.predict([logit_zero])[0].predicted_attributes == ("red",)
    assert above.predict([logit_zero])[0].predicted_attributes == ()


def test_one_bad_image_among_good_ones(predictor: Predictor, tmp_path: Path) -> None:
    good = plain_image(0, 0, 0)
    bad: list[bytes | Path] = [b"no image", b"", good[: len(good) // 2], tmp_path / "absent.png"]
    answers = predictor.predict([good, *bad, good])
    assert [answer.error is None for answer in answers] == [True, False, False, False, False, True]
    assert answers[0] == answers[-1] == Prediction(("dark",), answers[0].probabilities)
    assert all((answer.probabilities, answer.predicted_attributes) == ((), ()) for answer in answers[1:-1])
    assert answers[1].error == "not an image"
    assert answers[4].error == "missing"


def test_nothing_asked_nothing_answered(predictor: Predictor) -> None:
    assert predictor.predict([]) == ()
    assert predictor.logits(np.empty((0, 4, 4, 3), np.uint8)).shape == (0, 2)


@pytest.mark.parametrize("throughput", [False, True])
@pytest.mark.parametrize("count", [2, BATCH, BATCH + 1, 5 * BATCH + 3])
def test_a_stream_keeps_the_order(package: Path, throughput: bool, count: int, tmp_path: Path) -> None:
    reds = [number * 5 % 256 for number in range(count)]
    images: list[bytes | Path] = [plain_image(red, 0, 0) for red in reds]
    (tmp_path / "file").write_bytes(plain_image(reds[1], 0, 0))
    images[1] = tmp_path / "file"
    answers = list(Predictor(package, throughput=throughput).stream(iter(images)))
    expected = [sigmoid(red / 100 - 1) for red in reds]
    np.testing.assert_allclose([answer.probabilities[0] for answer in answers], expected, atol=1e-6)


def test_a_stream_reads_only_a_little_ahead(predictor: Predictor) -> None:
    taken = 0

    def images() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(40 * BATCH):
            taken += 1
            yield plain_image(0, 0, 0)

    stream = predictor.stream(images())
    next(stream)
    assert taken <= MANY + 2 * BATCH


def test_several_threads_at_once_each_get_their_own_answers(predictor: Predictor) -> None:
    def ask(red: int) -> bool:
        requests = [
            [plain_image(red, 0, 0)],
            [plain_image(red, 0, 0), b"no image", plain_image(255 - red, 0, 0)],
        ]
        one, (first, second, third) = (predictor.predict(request) for request in requests)
        right = np.allclose(one[0].probabilities[0], sigmoid(red / 100 - 1), atol=1e-6)
        right &= np.allclose(third.probabilities[0], sigmoid((255 - red) / 100 - 1), atol=1e-6)
        return bool(right and one[0] == first and second.error == "not an image")

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, [number * 37 % 256 for number in range(200)]))


def test_the_first_inference_is_done_before_threads_can_meet(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    infer = CompiledGraph.infer

    def noting(graph: CompiledGraph, batch: np.ndarray) -> np.ndarray:
        seen.append(batch.shape)
        return infer(graph, batch)

    monkeypatch.setattr(CompiledGraph, "infer", noting)
    Predictor(package)
    assert seen == [(1, 4, 4, 3)]


def test_logits_of_pixels_are_those_of_the_head(predictor: Predictor) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2 * BATCH + 1, 4, 4, 3), dtype=np.uint8)
    expected = HEAD.logits(pixels.mean(axis=(1, 2)).astype(np.float32))
    np.testing.assert_allclose(predictor.logits(pixels), expected, atol=1e-5)


def test_a_graph_that_does_not_fit_its_record_is_refused(make_package: Callable[..., Path]) -> None:
    folder = make_package()
    record = (folder / "attributes.json").read_text()
    (folder / "attributes.json").write_text(
        record.replace('"input_size": [\n    4', '"input_size": [\n    5')
    )
    write_digests(folder)
    with pytest.raises(ModelError, match=r"\[\?,4,4,3\].*its record says \[\?,5,4,3\]"):
        Predictor(folder)


@pytest.mark.parametrize("name", ["model.xml", "model.bin"])
def test_a_graph_cut_short_is_refused(make_package: Callable[..., Path], name: str) -> None:
    folder = make_package()
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match=f"{name} is not the file that was written"):
        Predictor(folder)
    write_digests(folder)
    with pytest.raises(ModelError, match="cannot be read"):
        Predictor(folder)


def test_one_image_and_many_are_answered_by_graphs_made_for_them(package: Path) -> None:
    with Predictor(package) as predictor:
        predictor.predict([plain_image(0, 0, 0)] * (MANY - 1))
        assert predictor._for_many is None
        reds = [number % 256 for number in range(MANY)]
        answers = predictor.predict([plain_image(red, 0, 0) for red in reds])
        assert predictor._for_many is not None
    expected = [sigmoid(red / 100 - 1) for red in reds]
    np.testing.assert_allclose([answer.probabilities[0] for answer in answers], expected, atol=1e-6)


def test_a_server_reads_common_formats_within_the_packages_limit(make_package: Callable[..., Path]) -> None:
    info = dataclasses.replace(color_info(), limits=Limits(pixels_per_image=10_000))
    folder = make_package(info=info)
    images = [plain_image(0, 0, 0, "PNG", side=101), plain_image(0, 0, 0, "PPM"), plain_image(0, 0, 0, "PNG")]
    with Predictor(folder) as here, Predictor(folder, served=True) as served:
        assert [answer.error is None for answer in here.predict(images)] == [True, True, True]
        large, odd, good = served.predict(images)
        assert "within the limit of 10,000" in str(large.error)
        assert odd.error is not None and good.error is None


def test_in_process_the_limit_is_that_of_the_training(make_package: Callable[..., Path]) -> None:
    folder = make_package(info=dataclasses.replace(color_info(), max_pixels=10_000))
    images = [plain_image(0, 0, 0, "PNG", side=101), plain_image(0, 0, 0, "PPM", side=100)]
    with Predictor(folder) as here, Predictor(folder, served=True) as served:
        large, good = here.predict(images)
        assert "within the limit of 10,000" in str(large.error) and good.error is None
        assert served.predict(images[:1])[0].error is None  # a server has its own


def test_a_reason_in_place_of_an_image_is_that_rows_error(predictor: Predictor) -> None:
    answers = predictor.predict([plain_image(0, 0, 0), ImagesError("there is no image")])
    assert [answer.error for answer in answers] == [None, "there is no image"]


def test_a_pipe_is_not_opened(predictor: Predictor, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert predictor.predict([tmp_path / "pipe.jpg"])[0].error == "not a regular file"


def test_no_memory_for_one_image_is_its_error(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("aimonk.runtime.predictor.decode", fail)
    assert predictor.predict([b"huge"])[0].error == "the image takes more memory than there is"


def test_a_closed_predictor_ends_what_it_is_doing(package: Path) -> None:
    predictor = Predictor(package)
    stream = predictor.stream(plain_image(0, 0, 0) for _ in range(10_000))
    next(stream)
    predictor.close()
    predictor.close()
    with pytest.raises(BusyError):
        list(stream)
    with pytest.raises(BusyError):
        predictor.predict([plain_image(0, 0, 0)])


def test_a_dropped_predictor_leaves_no_threads(package: Path) -> None:
    predictor = Predictor(package)
    predictor.predict([plain_image(0, 0, 0)] * 20)
    threads = [*predictor._decoders._threads, *predictor._streams._threads]
    assert all(thread.is_alive() for thread in threads)
    del predictor
    gc.collect()
    for thread in threads:
        thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)


def test_a_server_loads_nothing_but_what_it_needs(package: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from aimonk.runtime.predictor import Predictor\n"
        f"Predictor(Path({str(package)!r}))\n"
        "heavy = {'tensorflow', 'keras', 'mlflow', 'pandas', 'pyarrow', 'sklearn', 'scipy', 'matplotlib'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
