"""The library of age (pyrage), and recipients of its files."""

from __future__ import annotations

from typing import Any

from rehab_pose.errors import SettingsError
from rehab_pose.optional_packages import optional_package

__all__ = ["age_library", "check_recipient", "recipient_key"]


def age_library() -> Any:  # noqa: ANN401  (a module without types)
    """Return the library.

    Raises:
        MissingDependencyError: It is not installed.
    """
    return optional_package("pyrage", "encryption")


def recipient_key(text: str) -> Any:  # noqa: ANN401
    """Return the library's key of a recipient.

    Raises:
        SettingsError: The text is no recipient.
        MissingDependencyError: The library is not installed.
    """
    age = age_library()
    try:
        return age.x25519.Recipient.from_str(text)
    except age.RecipientError as error:
        shown = "a secret key" if text.upper().startswith("AGE-SECRET-KEY") else repr(text)
        msg = (
            f"session.encrypt_to: expected a recipient of age (age1 and 58 characters), got {shown}: {error}; "
            "`age-keygen` prints it as the public key"
        )
        raise SettingsError(msg) from error


def check_recipient(text: str) -> None:
    """Check a recipient of age; '' = files are not encrypted.

    Raises:
        SettingsError: It is none.
        MissingDependencyError: The library is not installed.
    """
    if text:
        recipient_key(text)
