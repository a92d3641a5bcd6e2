"""`aimonk serve`: one model behind HTTP, until the process is asked to end."""

from __future__ import annotations

from ..errors import AimonkError


def serve(model: str, *, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Answer requests with a model until SIGTERM or Ctrl-C. See `serving.http_server` for the endpoints.

    >>> aimonk.serve("models:/dresses@champion", port=8080)  # doctest: +SKIP

    Args:
        model: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `runs:/ID/model` or a folder.
        host: address to listen at; `0.0.0.0` for all. There is no authentication.
        port: port to listen at.

    Raises:
        ModelError: there is no such model, or it is broken.
        TrackingError: the store cannot be reached.
        AimonkError: the extra `server` is not installed, or the address cannot be listened at.
    """
    try:
        from ..serving.server_process import serve as serve_over_http
    except ModuleNotFoundError as error:
        raise AimonkError(
            f"The server needs {error.name}, which is not installed; run: pip install 'aimonk[server]'."
        ) from None
    serve_over_http(model, host, port)
