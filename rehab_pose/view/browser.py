"""Opens the page in the browser of the desktop, if there is one."""

from __future__ import annotations

import os
import webbrowser

__all__ = ["open_browser"]

DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY")
"""Environment variables of a desktop. Without one, `webbrowser` would start a browser in the terminal."""


def open_browser(url: str, *, wanted: bool) -> bool:
    """Open an address in the desktop's browser; return whether one was started.

    Args:
        url: The address.
        wanted: False does nothing.
    """
    if not wanted or not any(os.environ.get(name) for name in DISPLAYS):
        return False
    return webbrowser.open(url)
