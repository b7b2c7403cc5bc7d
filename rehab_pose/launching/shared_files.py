"""Find the files that are installed with the package: config, launch, rviz."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from rehab_pose.errors import MissingDependencyError

__all__ = ["shared_file"]

PACKAGE = "rehab_pose"


def shared_file(relative_path: str) -> Path:
    """Return a file such as `config/rehab_pose.yaml`, from the checkout or from the installed package.

    Raises:
        MissingDependencyError: The file is not found.
    """
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    installed = [Path(prefix) / "share" / PACKAGE for prefix in prefixes if prefix]
    candidates = [folder / relative_path for folder in (Path(__file__).resolve().parents[2], *installed)]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    msg = f"expected {relative_path} at one of {', '.join(map(str, candidates))}; install the package again"
    raise MissingDependencyError(msg)
