"""Settings of the page for a browser."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["DEFAULT_HOST", "DEFAULT_PORT", "ViewSettings"]

DEFAULT_HOST = "127.0.0.1"
"""Address of this machine only."""
DEFAULT_PORT = 8080
"""The port that is customary for a second web server; it needs no rights."""


@dataclass(frozen=True)
class ViewSettings(Settings):
    """Address, rate and content of the page."""

    host: str = setting(
        DEFAULT_HOST,
        "Address on which the page is served; 0.0.0.0: all networks of this machine, where others can read what is "
        "sent, because it is not encrypted",
    )
    port: int = setting(DEFAULT_PORT, "Port of the page; 0: a free one", minimum=0, maximum=65535)
    image: bool = setting(True, "Send the camera's image to pages that ask for it; false: no image leaves the server")
    rate_hz: float = setting(30.0, "Each page is sent a state at most this often [Hz]", minimum=1.0, maximum=60.0)
    jpeg_quality: int = setting(75, "Quality of the camera's image as JPEG", minimum=10, maximum=100)
    open: bool = setting(False, "Open the page in the desktop's browser, if there is one, when the node starts")
