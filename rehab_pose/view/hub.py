"""The newest state of everything that pages show, shared by one source and any number of connected pages.

A source publishes parts; each page takes those that it shows and that changed since it took them last. Older states are
not kept, so a slow page skips frames and never delays the source.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["FRAME_PARTS", "OPTIONAL_PARTS", "Content", "Hub", "Page", "Part", "Payload"]

Content: TypeAlias = Mapping[str, object]
"""What JSON can hold; no NaN."""
OPTIONAL_PARTS = ("image", "mesh", "bones")
"""Parts that are costly to make: only for pages that ask for them."""
FRAME_PARTS = ("joints",)
"""Parts that change with every frame; their changes are counted as frames."""


class Payload:
    """Bytes that are computed when the first page takes them, once for all pages."""

    def __init__(self, encode: Callable[[], bytes]) -> None:
        self._encode, self._lock = encode, threading.Lock()
        self._data: bytes | None = None

    def get(self) -> bytes:
        """Return the bytes."""
        with self._lock:
            if self._data is None:
                self._data = self._encode()
            return self._data


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the state."""

    content: Content
    payload: Payload | None = None
    """Binary data, such as an image."""


@dataclass(eq=False)
class Page:
    """One connected page: the parts that it shows and those that it has."""

    wake: Callable[[], None]
    """Called, from any thread, after each change."""
    wanted: frozenset[str] = frozenset()
    """Optional parts that the page shows."""
    taken: dict[str, int] = field(default_factory=dict)
    """Version of each part that the page took last."""
    sent_frames: int = 0
    skipped_frames: int = 0
    """Frames that were replaced by newer ones before the page took them."""


class Hub:
    """Keeps the newest version of each part; used from any thread."""

    def __init__(self, *, image: bool = True) -> None:
        """Begin without any part.

        Args:
            image: Whether camera images may be sent; without it they are refused here, before any page is asked.
        """
        self.image = image
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[int, Part]] = {"privacy": (1, Part({"image": image}))}
        self._version = 1
        self._frames = 0
        self._pages: list[Page] = []

    @property
    def page_count(self) -> int:
        """Number of connected pages."""
        return len(self._pages)

    @property
    def frames(self) -> int:
        """Number of frames that were published."""
        return self._frames

    def wanted(self) -> frozenset[str]:
        """Return the optional parts that at least one page shows and that may be sent."""
        with self._lock:
            wanted = frozenset().union(*(page.wanted for page in self._pages))
        return wanted if self.image else wanted - {"image"}

    def publish(self, parts: Mapping[str, Part]) -> None:
        """Replace parts by newer ones and wake all pages."""
        with self._lock:
            self._version += 1
            for name, part in parts.items():
                if name != "image" or self.image:
                    self._parts[name] = (self._version, part)
            self._frames += any(name in parts for name in FRAME_PARTS)
            pages = list(self._pages)
        for page in pages:
            page.wake()

    def withdraw(self, *names: str) -> None:
        """Forget parts, so that pages which connect later do not show them."""
        with self._lock:
            for name in names:
                self._parts.pop(name, None)

    def connect(self, wake: Callable[[], None]) -> Page:
        """Return a new page, which has no part yet."""
        page = Page(wake)
        with self._lock:
            self._pages.append(page)
        return page

    def disconnect(self, page: Page) -> None:
        """Forget a page."""
        with self._lock:
            self._pages.remove(page)

    def want(self, page: Page, names: frozenset[str]) -> None:
        """Set the optional parts that a page shows; other names are ignored."""
        with self._lock:
            page.wanted = names & frozenset(OPTIONAL_PARTS)
        page.wake()

    def take(self, page: Page) -> dict[str, Part]:
        """Return the parts that a page shows and that changed since it took them; they count as sent."""
        with self._lock:
            taken = {}
            for name, (version, part) in self._parts.items():
                shown = name not in OPTIONAL_PARTS or name in page.wanted
                if shown and page.taken.get(name) != version:
                    taken[name] = part
                    page.taken[name] = version
            if any(name in taken for name in FRAME_PARTS):
                page.skipped_frames += max(0, self._frames - page.taken.get("#frames", self._frames - 1) - 1)
                page.taken["#frames"] = self._frames
                page.sent_frames += 1
            return taken
