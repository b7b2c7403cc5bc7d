"""The web server in a thread."""

from __future__ import annotations

import logging
import socket
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rehab_pose.errors import MissingDependencyError, SettingsError
from rehab_pose.view.access import Access, new_token
from rehab_pose.view.settings import DEFAULT_HOST

if TYPE_CHECKING:
    from rehab_pose.view.commands import Commands
    from rehab_pose.view.hub import Hub
    from rehab_pose.view.settings import ViewSettings

__all__ = ["ViewServer", "free_port"]

CLOSE_S = 5.0
"""Longest wait for the server's thread [s]."""
BACKLOG = 16
"""Connections that may wait to be accepted."""
NEEDED = ("starlette", "uvicorn", "websockets")
"""Packages of the extra `view`."""
THIS_MACHINE = {DEFAULT_HOST, "localhost", "::1"}


class ViewServer:
    """Serves the pages until it is closed."""

    def __init__(self, hub: Hub, commands: Commands, settings: ViewSettings, token: str = "") -> None:
        """Bind the port and start to serve.

        Args:
            hub: The state that the pages show.
            commands: Receives their commands.
            settings: Address and rate.
            token: Part of the address, by which a browser gets in; '' = a new random one.

        Raises:
            MissingDependencyError: The extra `view` is not installed.
            SettingsError: The port is used by another program, or the address is not one of this machine.
        """
        _check_installed()
        import uvicorn  # noqa: PLC0415  (an extra, loaded only by programs that serve the page)

        from rehab_pose.view.app import make_app  # noqa: PLC0415

        self._socket = _bound_socket(settings.host, settings.port)
        self.access = Access(settings.host, self._socket.getsockname()[1], token or new_token())
        config = uvicorn.Config(
            make_app(hub, self.access, commands, settings.rate_hz),
            log_config=None,
            lifespan="off",
            ws="websockets-sansio",
            ws_per_message_deflate=False,  # images are compressed already
            ws_max_size=2**16,
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # broken connections are no fault of ours
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="view_server", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Address of the page, with its token."""
        return self.access.url

    @property
    def warning(self) -> str:
        """A sentence where other machines can reach the server; '' = none can."""
        if self.access.host in THIS_MACHINE:
            return ""
        return (
            f"the page is open to other machines on {self.access.host}: those that know the token can see the person "
            "and end the session, and the connection is not encrypted; use a network that you trust"
        )

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(CLOSE_S)
        self._socket.close()


def free_port(settings: ViewSettings) -> int:
    """Return the port of the settings if a server could use it now, and a free one for port 0.

    Raises:
        MissingDependencyError: The extra `view` is not installed.
        SettingsError: The port is used by another program, or the address is not one of this machine.
    """
    _check_installed()
    bound = _bound_socket(settings.host, settings.port)
    port: int = bound.getsockname()[1]
    bound.close()
    return port


def _check_installed() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        msg = f"the page needs {', '.join(missing)}, which are not installed: pip install 'rehab_pose[view]'"
        raise MissingDependencyError(msg)


def _bound_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        SettingsError: The address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        bound.close()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        msg = (
            f"expected a free port on an address of this machine, {host}:{port} cannot be used ({reason}); "
            "choose another port with --port, or 0 for any free one"
        )
        raise SettingsError(msg) from error
    return bound
