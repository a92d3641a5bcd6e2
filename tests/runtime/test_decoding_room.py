from __future__ import annotations

import threading
import time

import pytest

from aimonk.runtime.decode_limits import SERVING
from aimonk.runtime.decoder import decode
from aimonk.runtime.decoding_room import ROOM, SMALL, DecodingRoom

from ..serving.conftest import plain_image


class Held:
    """A thread that holds room until it is let go."""

    def __init__(self, room: DecodingRoom, pixels: int, most: int) -> None:
        self.entered, self._leave = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold, args=(room, pixels, most), daemon=True)
        self.thread.start()

    def _hold(self, room: DecodingRoom, pixels: int, most: int) -> None:
        with room.hold(pixels, most):
            self.entered.set()
            self._leave.wait(30)

    def leave(self) -> None:
        self._leave.set()
        self.thread.join(10)


def waits(event: threading.Event) -> bool:
    return not event.wait(0.2)


def test_images_share_the_room() -> None:
    room = DecodingRoom()
    first, second = Held(room, 12_000_000, 25_000_000), Held(room, 13_000_000, 25_000_000)
    assert first.entered.wait(5) and second.entered.wait(5)
    third = Held(room, SMALL + 1, 25_000_000)
    assert waits(third.entered)
    first.leave()
    assert third.entered.wait(5)
    second.leave()
    third.leave()


def test_a_large_image_is_not_overtaken_for_ever() -> None:
    room = DecodingRoom()
    first = Held(room, 5_000_000, 25_000_000)
    assert first.entered.wait(5)
    large = Held(room, 25_000_000, 25_000_000)
    assert waits(large.entered)
    later = Held(room, 5_000_000, 25_000_000)
    assert waits(later.entered)  # it would fit, but came after the large one
    first.leave()
    assert large.entered.wait(5)
    assert waits(later.entered)
    large.leave()
    assert later.entered.wait(5)
    later.leave()


def test_small_images_pass_and_one_alone_always_fits() -> None:
    room = DecodingRoom()
    alone = Held(room, 90_000_000, 25_000_000)
    assert alone.entered.wait(5)
    with room.hold(SMALL, 25_000_000):
        pass
    alone.leave()
    with pytest.raises(ZeroDivisionError), room.hold(30_000_000, 25_000_000):
        _ = 1 / 0
    with room.hold(30_000_000, 25_000_000):  # the room of a failed image is free again
        pass


def test_a_large_image_waits_for_another() -> None:
    image = plain_image(1, 2, 3, "PNG", side=1500)
    done = threading.Event()

    def decode_it() -> None:
        decode(image, (4, 4), SERVING)
        done.set()

    thread = threading.Thread(target=decode_it)
    with ROOM.hold(SERVING.max_pixels, SERVING.max_pixels):
        thread.start()
        assert waits(done)
        assert decode(plain_image(1, 2, 3), (4, 4), SERVING).shape == (4, 4, 3)
    began = time.monotonic()
    thread.join(10)
    assert done.is_set() and time.monotonic() - began < 5
