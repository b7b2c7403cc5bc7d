"""Suggestions for names that a person or a file got wrong, for the end of an error's sentence."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["did_you_mean"]

SIMILARITY = 0.6
"""Smallest similarity of a suggested name, 0 to 1 (`difflib`, its default)."""


def did_you_mean(
    given: str | Sequence[str], known: Iterable[str], *, most: int = 1, similarity: float = SIMILARITY
) -> str:
    """Return `did you mean A or B?` with the known names that are most like the given ones; '' if none is.

    Args:
        given: One wrong name, or several.
        known: The right names.
        most: Largest number of suggestions for each wrong name.
        similarity: Smallest similarity of a suggestion, 0 to 1.
    """
    names = list(known)
    wrong = [given] if isinstance(given, str) else given
    near = dict.fromkeys(name for word in wrong for name in get_close_matches(word, names, most, similarity))
    return f"did you mean {' or '.join(near)}?" if near else ""
