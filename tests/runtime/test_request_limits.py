from __future__ import annotations

import threading

import pytest

from aimonk.runtime.request_limits import Admission, BusyError, Limits, TooLargeError

LIMITS = Limits(images_per_request=3, bytes_per_request=100, images_in_progress=4, bytes_in_progress=150)


@pytest.mark.parametrize(("images", "size"), [(4, 0), (1, 101)])
def test_a_request_beyond_its_own_limit_is_too_large(images: int, size: int) -> None:
    with pytest.raises(TooLargeError), Admission(LIMITS).admit(images, size):
        pass


@pytest.mark.parametrize(("images", "size"), [(3, 0), (1, 60)])
def test_a_request_beyond_the_room_left_has_to_come_again(images: int, size: int) -> None:
    admission = Admission(LIMITS)
    with admission.admit(2, 100), pytest.raises(BusyError, match="busy"), admission.admit(images, size):
        pass
    with admission.admit(images, size):
        pass


def test_a_failed_request_gives_its_room_back() -> None:
    admission = Admission(LIMITS)
    for _ in range(9):
        with pytest.raises(ValueError), admission.admit(3, 100):
            raise ValueError
    with admission.admit(3, 100):
        pass


def test_no_more_than_allowed_are_in_progress_at_once() -> None:
    admission, lock = Admission(LIMITS), threading.Lock()
    inside = most = refused = 0

    def ask() -> None:
        nonlocal inside, most, refused
        for _ in range(500):
            try:
                with admission.admit(2, 1):
                    with lock:
                        inside += 1
                        most = max(most, inside)
                    with lock:
                        inside -= 1
            except BusyError:
                with lock:
                    refused += 1

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most <= 2
    with admission.admit(2, 1), admission.admit(2, 1):
        pass
