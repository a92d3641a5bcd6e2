"""The process that serves a model over HTTP, from its start to the end that a signal asks for."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import time
from typing import Any

import uvicorn

from ..errors import AimonkError
from ..progress import tell
from .http_server import Application
from .served_model import loaded_for_serving

_LEAST_SECONDS = 1.0
"""The door stays open so long after SIGTERM, so that balancers see that `/ready` answers 503."""
_DRAIN_SECONDS = 7.0
"""For requests in progress; then they are refused. Docker and Kubernetes kill after 10 and 30 seconds."""
_CLOSING_SECONDS = 1
"""For connections to close after that."""


def serve(model: str, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve a model until SIGTERM or Ctrl-C.

    Args:
        model: as `model_package` takes it.
        host: address to listen at; `0.0.0.0` for all.
        port: port to listen at.

    Raises:
        ModelError: there is no such model, or it is broken.
        TrackingError: the store cannot be reached.
        AimonkError: the address cannot be listened at.
    """
    # What is wrong with a form is said to the client; the parser's own lines would name no request.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    with loaded_for_serving(model) as served:
        _look_for_garbage_often()
        application = Application(served)
        config = uvicorn.Config(
            application.app, log_level="warning", timeout_graceful_shutdown=_CLOSING_SECONDS
        )
        shown = f"[{host}]" if ":" in host else host
        greeting = f"Serving {served.name} {served.version} at http://{shown}:{port}"
        with _listening(host, port) as door:
            _Server(config, application, greeting).run(sockets=[door])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        # Python adds the address to the text of the system's error.
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise AimonkError(
            f"The server cannot listen at {host}, port {port} ({why}); name another --host or --port."
        ) from None


def _look_for_garbage_often() -> None:
    """Undo what the command line sets: an error and its frames are garbage that may hold an unpacked image.

    What is loaded by now stays until the end, so it is not looked through again.
    """
    gc.freeze()
    gc.set_threshold(700, 10, 10)


class _Server(uvicorn.Server):
    """Uvicorn, which says when it is ready, and closes the door only after the requests in progress.

    Uvicorn itself closes it first: then nobody could be told that the server is not ready any more.
    """

    def __init__(self, config: uvicorn.Config, application: Application, greeting: str) -> None:
        super().__init__(config)
        self._application, self._greeting = application, greeting
        self._asked: tuple[int, float] | None = None
        """The signal that asked it to end, and when it came."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        tell(self._greeting)

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self._asked is None:
            self._application.drain()
            self._asked = sig, time.monotonic()
        else:  # twice is once too often to wait
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        if self._asked is not None and not self.should_exit:
            sent, began = self._asked
            waited = time.monotonic() - began
            if waited > _DRAIN_SECONDS:
                self._application.give_up()
            least = _LEAST_SECONDS if sent == signal.SIGTERM else 0
            if waited > _DRAIN_SECONDS or (waited >= least and not self._application.is_busy()):
                super().handle_exit(sent, None)
        return await super().on_tick(counter)
