"""Packages of the extras in setup.py, imported where they are used."""

from __future__ import annotations

import importlib
from typing import Any

from rehab_pose.errors import MissingDependencyError

__all__ = ["optional_package"]


def optional_package(name: str, extra: str) -> Any:  # noqa: ANN401  (modules without type hints)
    """Import a module of a package that only some commands need.

    Args:
        name: Name of the module.
        extra: The extra of setup.py that has its package.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        msg = f"expected the Python package {name.partition('.')[0]}; install it: pip install 'rehab_pose[{extra}]'"
        raise MissingDependencyError(msg) from error
