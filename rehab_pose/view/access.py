"""Access to the server: a token for each start of it, and checks of the headers Host and Origin.

The token keeps other users of this machine and programs of the network out. Host is checked because a web page from
elsewhere can point a name of its own at this address (DNS rebinding), Origin because any web page can open a websocket.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rehab_pose.view.settings import DEFAULT_HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTENT_SECURITY", "SECURITY_HEADERS", "TOKEN_VARIABLE", "Access", "new_token"]

TOKEN_BYTES = 16
"""Random bytes of a token: 128 bits cannot be guessed."""
TOKEN_VARIABLE = "REHAB_POSE_VIEW_TOKEN"  # noqa: S105  (the name of a variable, no secret)
"""Environment variable by which a launcher chooses the token, so that a restarted server keeps its address. Other users
can read command lines, but no environment."""
CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Only the server's own files are loaded, and nothing is run that stands inside the page."""
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def new_token() -> str:
    """Return a new random token."""
    return secrets.token_urlsafe(TOKEN_BYTES)


@dataclass(frozen=True)
class Access:
    """Decides whether a request may read the state and give commands."""

    host: str
    """Address on which the server listens."""
    port: int
    token: str = field(default_factory=new_token, repr=False)

    @property
    def cookie(self) -> str:
        """Name of the cookie with the token; cookies are shared by all ports of a host, so the port is part of it."""
        return f"rehab_pose_view_{self.port}"

    @property
    def url(self) -> str:
        """Address of the page for a browser on this machine."""
        return f"http://{_bracketed(self.own_host)}:{self.port}/?token={self.token}"

    @property
    def own_host(self) -> str:
        """Address by which this machine reaches the server."""
        return DEFAULT_HOST if self._every_address else self.host

    @property
    def _every_address(self) -> bool:
        return self.host in {"0.0.0.0", "::", ""}  # noqa: S104  (compared, not bound)

    def is_own_host(self, host: str) -> bool:
        """Return whether a header Host names this server.

        It does by the server's address, as localhost, or by any address if the server listens on all of them.
        """
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if port != self.port:
            return False
        if name in {self.host.lower(), "localhost", DEFAULT_HOST, "::1"}:
            return True
        return self._every_address and _is_address(name)

    def is_own_origin(self, origin: str, host: str) -> bool:
        """Return whether a header Origin is that of a page of this server, which was asked for as `host`."""
        return origin == f"http://{host}"

    def has_token(self, headers: Mapping[str, str], given: str) -> bool:
        """Return whether a request has the token, in its cookie or in its address.

        Args:
            headers: The request's headers.
            given: Token of the address; '' = none.
        """
        if given and secrets.compare_digest(given.encode(), self.token.encode()):
            return True
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
        except CookieError:
            return False
        return morsel is not None and secrets.compare_digest(morsel.value.encode(), self.token.encode())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
