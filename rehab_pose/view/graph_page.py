"""The page of a graph for the program that starts the graph: address, checks before the start, waiting for it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from rehab_pose.launching.node_commands import parameter_words
from rehab_pose.view.access import TOKEN_VARIABLE, Access, new_token
from rehab_pose.view.browser import open_browser
from rehab_pose.view.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.view.settings import ViewSettings

__all__ = ["VIEW_NODE", "GraphPage"]

VIEW_NODE = "view"
"""Name of the node that serves the page."""
READY_TIMEOUT_S = 60.0
"""Longest wait for the page [s]: its node loads in two seconds, on a busy machine in many."""
POLL_S = 0.1


@dataclass(frozen=True)
class GraphPage:
    """The page that the node `view` serves."""

    settings: ViewSettings
    """With the port that is used, not 0."""
    token: str = field(default_factory=new_token, repr=False)

    @classmethod
    def prepare(cls, settings: ViewSettings) -> GraphPage:
        """Check, before anything is started, that the page can be served.

        Args:
            settings: Port 0 is replaced by a free one.

        Raises:
            MissingDependencyError: The extra `view` is not installed.
            SettingsError: The port is used by another program, or the address is not one of this machine.
        """
        return cls(replace(settings, port=free_port(settings)))

    @property
    def url(self) -> str:
        """Address with its token."""
        return Access(self.settings.host, self.settings.port, self.token).url

    @property
    def environment(self) -> dict[str, str]:
        """Environment variable with the token, for the node."""
        return {TOKEN_VARIABLE: self.token}

    @property
    def words(self) -> tuple[str, ...]:
        """Words of the node's command line after `--ros-args`."""
        values = {"host": self.settings.host, "port": self.settings.port, "image": self.settings.image}
        return parameter_words("view", values)

    def announce(self, say: Callable[[str], None], *, opening: bool) -> None:
        """Say the address, and open it in the desktop's browser, as soon as the page answers; does not wait.

        Args:
            say: Receives a sentence, on another thread.
            opening: Whether to open a browser where there is a desktop.
        """

        def wait() -> None:
            if self._answers():
                say(f"live page: {self.url}")
                open_browser(self.url, wanted=opening)
            else:
                say(f"the live page does not answer at {self.url}; see the messages of the node {VIEW_NODE}")

        threading.Thread(target=wait, name="page_ready", daemon=True).start()

    def _answers(self) -> bool:
        """Wait until the server answers; return whether it did."""
        access = Access(self.settings.host, self.settings.port, self.token)
        end_s = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < end_s:
            connection = HTTPConnection(access.own_host, access.port, timeout=1.0)
            try:
                connection.request("GET", f"/icon.svg?token={self.token}")
                connection.getresponse()
            except OSError:
                time.sleep(POLL_S)
            else:
                return True
            finally:
                connection.close()
        return False
