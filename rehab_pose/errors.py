"""Every error this package raises on purpose.

Each message says what was expected, what came and what to do, so that a person who reads it in a log can act on it.
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
    """An array or a record breaks its contract: wrong shape, dtype or range."""


class InputError(RehabPoseError, ValueError):
    """Data from outside (a camera, a bag, a file) cannot be used; the data after it may still be good."""


class SettingsError(RehabPoseError, ValueError):
    """A setting is unknown or outside its range."""


class ModelFileError(RehabPoseError):
    """A model or weights file is missing, damaged or refused."""


class RecordingError(RehabPoseError):
    """A recording or a data set cannot be read or written."""


class MissingDependencyError(RehabPoseError, ImportError):
    """An optional package is needed and not installed."""
