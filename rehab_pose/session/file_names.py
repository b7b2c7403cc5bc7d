"""Names of files in the folders of sessions."""

from __future__ import annotations

__all__ = ["AUDIT_LOG", "ENCRYPTED_JOURNAL", "ENCRYPTED_SUFFIX", "JOURNAL", "RECOVERED"]

AUDIT_LOG = "audit.log"
"""Audit log, in the folder of all sessions."""
JOURNAL = "journal.jsonl"
"""Journal, in a session's folder; a folder without it is none of a session."""
ENCRYPTED_SUFFIX = ".age"
"""Ending of an encrypted file."""
ENCRYPTED_JOURNAL = JOURNAL + ENCRYPTED_SUFFIX
"""The journal of a session that was encrypted after its end."""
RECOVERED = "_recovered"
"""End of the name of a bag that was made from a damaged one."""
