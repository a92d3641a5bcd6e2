"""Who may use the page: whoever has the token, in a browser, from the page itself.

The server listens on 127.0.0.1, but so can every program of the machine, and every web page that the user
has open can send requests there. Four checks keep them out:

- The host must be the server's own address. A foreign name that resolves to 127.0.0.1 (DNS rebinding) is
  refused.
- The token of the URL becomes a cookie that scripts cannot read and that browsers send from the page itself
  only (`HttpOnly`, `SameSite=Strict`). The token then leaves the address bar.
- A request that states where it comes from (`Origin`, `Sec-Fetch-Site`) must come from the page.
- A request that writes must state that, and must hold JSON, which forms cannot send.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content security policy: nothing from another host, no inline script, no frame around the page."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_READING = ("GET", "HEAD")


@dataclass(frozen=True)
class AccessGuard:
    """Middleware that lets requests of the page through, and refuses all others with 403."""

    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    @property
    def url(self) -> str:
        """The address to open."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    @property
    def cookie(self) -> str:
        """Name of the cookie. Cookies are shared by all ports of a host, so the port is in it."""
        return f"aimonk_review_{self.port}"

    async def __call__(
        self, request: Request, call_next: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """Check a request, and answer it or refuse it."""
        refusal = self._refusal(request)
        if refusal:
            response: Response = PlainTextResponse(refusal, 403)
        elif request.url.path == "/" and "token" in request.query_params:
            response = RedirectResponse("/", 303)
            response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict", path="/")
        else:
            response = await call_next(request)
        for name, value in _HEADERS.items():
            response.headers[name] = value
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _refusal(self, request: Request) -> str:
        """Return why a request is refused, as a sentence; empty if it is not."""
        host, headers = request.headers.get("host", ""), request.headers
        if host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            return "This host name is not served; open the address that aimonk review printed."
        if headers.get("origin", f"http://{host}") != f"http://{host}":
            return "Requests from other pages are refused."
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "Requests from other sites are refused."
        if not self._has_token(request):
            return "The token is missing or old; open the address that aimonk review printed."
        if request.method in _READING:
            return ""
        if "origin" not in headers:
            return "A request that writes must have an Origin header."
        if headers.get("content-type", "").partition(";")[0] != "application/json":
            return "A request that writes must hold JSON."
        return ""

    def _has_token(self, request: Request) -> bool:
        given = request.cookies.get(self.cookie, "")
        if request.url.path == "/" and request.method in _READING:
            given = request.query_params.get("token", given)
        return hmac.compare_digest(given.encode(), self.token.encode())
