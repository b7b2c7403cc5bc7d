"""From what the silhouette of a frame was computed, and the reason where it is less than colour and depth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["SilhouetteSource", "SilhouetteStatus"]


class SilhouetteSource(Enum):
    """Images from which the silhouette of a frame was computed."""

    FUSED = "colour and depth"
    DEPTH = "depth only"
    COLOR = "colour only"
    NONE = "no person"


@dataclass(frozen=True)
class SilhouetteStatus:
    """Source of one silhouette."""

    source: SilhouetteSource
    reason: str = ""
    """The reason why colour was not used or no person was found; empty for FUSED and where colour is not used."""
    wrong_person: bool = False
    """True if the landmarks are another person's or nothing's: their tracking has to begin again."""

    def __str__(self) -> str:
        """Return source and reason in one phrase, for diagnostics."""
        return f"{self.source.value}: {self.reason}" if self.reason else self.source.value
