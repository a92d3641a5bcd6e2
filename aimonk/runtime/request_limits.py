"""How much work a server takes on at once. What goes beyond is refused at once, before any image is read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .user_errors import AimonkError

STOPPING = "The server is shutting down; send the request again."


class TooLargeError(AimonkError):
    """One request asks for more than any request may; a smaller one is answered."""


class BusyError(AimonkError):
    """The server has as much work as it may hold, or is shutting down; the same request may succeed later."""


@dataclass(frozen=True)
class Limits:
    """Bounds on requests to a server; part of a package's record, so each model has its own.

    A request takes several times its images' bytes while its JSON is parsed, so the defaults keep a server
    within a gigabyte. Decoded images are bounded separately: a predictor decodes one per core at a time, and
    those of more than a megapixel have together no more than `pixels_per_image`.
    """

    images_per_request: int = 1024
    bytes_per_request: int = 128 * 2**20
    """Of encoded images: base64 text counts as the bytes it stands for."""
    images_in_progress: int = 2048
    """Of all requests that are being answered or wait for a core."""
    bytes_in_progress: int = 192 * 2**20
    pixels_per_image: int = 25_000_000
    """Pixels unpacked of one image, and of all that are unpacked at once; see `decode_limits`."""


def check_explained(images: int, most: int) -> None:
    """Raise TooLargeError if one request may not ask for so many explanations."""
    if images > most:
        raise TooLargeError(
            f"The request asks for explanations of {images:,} images, more than the {most} that one request "
            "may have; send several."
        )


class Admission:
    """Counts the work in progress, for any number of threads.

    >>> with Admission(Limits()).admit(images=1, size=30_000):
    ...     pass  # answer the request
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._images = self._bytes = 0
        self._closed = False

    @contextmanager
    def admit(self, images: int, size: int) -> Iterator[None]:
        """Hold room for a request of so many images and encoded bytes until it has been answered.

        Raises:
            TooLargeError: the request alone exceeds a limit.
            BusyError: it does not fit beside the requests in progress, or the server is shutting down.
        """
        self.check_images(images)
        self._check_size(images, size)
        with self._lock:
            self._check_room(images, size)
            self._images += images
            self._bytes += size
        try:
            yield
        finally:
            with self._lock:
                self._images -= images
                self._bytes -= size

    @property
    def in_progress(self) -> int:
        """Images of the requests that are admitted now."""
        return self._images

    def close(self) -> None:
        """Refuse all further requests."""
        self._closed = True

    def check_images(self, images: int) -> None:
        """Raise TooLargeError if one request may not have so many images, before they are looked at."""
        limits = self.limits
        if images > limits.images_per_request:
            raise TooLargeError(
                f"The request has {images:,} rows, more than the {limits.images_per_request:,} that one "
                "request may have; send several."
            )

    def _check_size(self, images: int, size: int) -> None:
        limits = self.limits
        if size > limits.bytes_per_request:
            what, advice = (
                ("images have", "send several") if images > 1 else ("image has", "send a smaller one")
            )
            raise TooLargeError(
                f"The request's {what} {size / 2**20:,.0f} MiB, more than the "
                f"{limits.bytes_per_request / 2**20:,.0f} MiB that one request may have; {advice}."
            )

    def _check_room(self, images: int, size: int) -> None:
        if self._closed:
            raise BusyError(STOPPING)
        if (
            self._images + images > self.limits.images_in_progress
            or self._bytes + size > self.limits.bytes_in_progress
        ):
            raise BusyError("The server is busy; send the request again in a few seconds.")
