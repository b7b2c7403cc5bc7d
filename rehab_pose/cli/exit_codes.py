"""Exit codes of the commands."""

from __future__ import annotations

__all__ = ["EXIT_PARTLY"]

EXIT_PARTLY = 3
"""The command is done, but parts of its input were damaged or could not be used; its last line says how many."""
