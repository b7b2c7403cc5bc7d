"""The public recordings that the exercise recogniser is trained on."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.irds import load_irds
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.labelled_bags import load_labelled_bags
from rehab_pose_lab.datasets.mars import load_mars
from rehab_pose_lab.datasets.mri import load_mri
from rehab_pose_lab.datasets.ui_prmd import load_ui_prmd
from rehab_pose_lab.datasets.utd_mhad_joints import load_utd_joints
from rehab_pose_lab.datasets.utkinect import load_utkinect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["LOADERS", "Loader", "load_clips"]

logger = logging.getLogger(__name__)


class Loader(Protocol):
    """Reads the folder of a data set."""

    def __call__(self, root: Path, *, skipped: list[str] | None = None) -> list[Clip]:
        """Return its clips; with `skipped`, unusable ones are left out and a message for each is appended there."""


LABELS_FILE = "labels.csv"
"""Table of a folder of labelled bags."""
LOADERS: dict[str, Loader] = {
    "kimore": load_kimore,
    "utkinect": load_utkinect,
    "utd_mhad": load_utd_joints,
    "ui_prmd": load_ui_prmd,
    "mars": load_mars,
    "irds": load_irds,
    "mri": load_mri,
    "bags": load_labelled_bags,
}


def load_clips(root: Path, names: Sequence[str] = ()) -> list[Clip]:
    """Return the clips of data sets.

    Args:
        root: Folder with one folder per set; or a folder of labelled bags itself (labels.csv).
        names: Sets to read; empty = all that are there.

    Raises:
        RecordingError: A set that was named is missing, or there is none at all.
    """
    if (root / LABELS_FILE).is_file():
        return load_labelled_bags(root)
    absent = [name for name in names if not (root / name).is_dir()]
    present = [name for name in LOADERS if (root / name).is_dir() and (not names or name in names)]
    if absent or not present:
        msg = (
            f"training data: expected folders {', '.join(names or LOADERS)} or a {LABELS_FILE} in {root}, missing: "
            f"{', '.join(absent or LOADERS)}; see docs/models/exercise.md"
        )
        raise RecordingError(msg)
    clips: list[Clip] = []
    for name in present:
        loaded = LOADERS[name](root / name)
        logger.info("%s: %d clips of %d subjects", name, len(loaded), len({clip.subject for clip in loaded}))
        clips.extend(loaded)
    return clips
