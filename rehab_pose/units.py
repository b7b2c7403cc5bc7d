"""Conversion factors between units."""

from __future__ import annotations

__all__ = ["NS_PER_S"]

NS_PER_S = 1_000_000_000
"""Nanoseconds in a second."""
