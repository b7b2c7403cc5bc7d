"""Count of what could not be read of a recording."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

__all__ = ["BagLosses"]


@dataclass
class BagLosses:
    """Parts of a recording that were left out. Some are found only while the recording is read."""

    cut_files: int = 0
    """Files without their end, as a program that was killed leaves them; whole messages before the cut are read."""
    damaged_records: int = 0
    """Records, or whole chunks of messages, that are damaged."""
    lost_messages: int = 0
    """Messages in damaged chunks, as far as their number is known."""
    undecodable_messages: int = 0
    """Messages whose bytes do not fit their type, or whose type is unknown."""
    unusable_images: int = 0
    """Images that cannot be used, for example of another size than their camera's."""
    unpaired_images: int = 0
    """Images of colour or depth without a partner of the other kind."""
    notes: list[str] = field(default_factory=list)
    """Further sentences, for example about missing metadata that were not needed."""

    def __bool__(self) -> bool:
        """Return whether anything that was recorded is missing."""
        return bool(self.sentence)

    @property
    def sentence(self) -> str:
        """Description of everything that is missing; '' = nothing."""
        parts = [
            (self.cut_files, "file without its end", "files without their end"),
            (self.damaged_records, "damaged record", "damaged records"),
            (self.lost_messages, "message in damaged parts", "messages in damaged parts"),
            (self.undecodable_messages, "undecodable message", "undecodable messages"),
            (self.unusable_images, "unusable image", "unusable images"),
            (self.unpaired_images, "image without a partner", "images without a partner"),
        ]
        named = [f"{count} {one if count == 1 else more}" for count, one, more in parts if count]
        return f"left out: {', '.join(named)}" if named else ""

    def add(self, other: BagLosses) -> None:
        """Add what was left out of another file."""
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))
