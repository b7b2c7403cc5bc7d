"""Exit codes of nodes and of the programs that start them."""

from __future__ import annotations

__all__ = ["EXIT_BAD_SETTINGS", "EXIT_INTERRUPTED", "EXIT_TRANSPORT_STUCK"]

EXIT_BAD_SETTINGS = 2
"""Exit code of a program that cannot use its settings; it is not restarted, because it would fail again."""
EXIT_INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, the convention of shells."""
EXIT_TRANSPORT_STUCK = 75
"""Exit code of a node whose DDS deadlocked: a temporary failure (EX_TEMPFAIL of sysexits.h), so it is restarted."""
