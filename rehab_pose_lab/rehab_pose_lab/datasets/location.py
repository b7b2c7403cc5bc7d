"""Location of the public data sets, which are not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["data_folder"]

DATA_VARIABLE = "REHAB_POSE_DATA"
REPOSITORY = Path(__file__).resolve().parents[3]
DEFAULT_FOLDER = REPOSITORY.parent / "shared" / "data"


def data_folder() -> Path:
    """Return the folder of the public data sets, with one folder per set.

    It is $REHAB_POSE_DATA, or `shared/data` next to the repository, whatever the working directory is.
    """
    return Path(os.environ.get(DATA_VARIABLE) or DEFAULT_FOLDER).absolute()
