"""Names of files in the folders of sessions."""

from __future__ import annotations

__all__ = ["AUDIT_LOG", "JOURNAL"]

AUDIT_LOG = "audit.log"
"""Audit log, in the folder of all sessions."""
JOURNAL = "journal.jsonl"
"""Journal, in a session's folder; a folder without it is none of a session."""
