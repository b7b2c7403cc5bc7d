"""The errors that this package raises.

A message states what was expected, what was found and what the user can do, so that it is useful in a log.
"""

from __future__ import annotations

__all__ = [
    "ContractError",
    "InputError",
    "MissingDependencyError",
    "ModelFileError",
    "RecordingError",
    "RehabPoseError",
    "SettingsError",
]


class RehabPoseError(Exception):
    """Base of all errors raised by this package."""


class ContractError(RehabPoseError, ValueError):
    """An array or a record has a wrong shape, dtype or range."""


class InputError(RehabPoseError, ValueError):
    """Data from a camera, a bag or a file cannot be used; later data may be valid."""


class SettingsError(RehabPoseError, ValueError):
    """A setting is unknown or out of its range."""


class ModelFileError(RehabPoseError):
    """A model or weights file is missing, damaged or refused."""


class RecordingError(RehabPoseError):
    """A recording or a data set cannot be read or written."""


class MissingDependencyError(RehabPoseError, ImportError):
    """An optional package is required and not installed."""
