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
    from pathlib import Path

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["LOADERS", "Loader", "load_clips"]

logger = logging.getLogger(__name__)


class Loader(Protocol):
    """Reads the folder of a data set."""

    def __call__(self, root: Path, *, skipped: list[str] | None = None) -> list[Clip]:
        """Return its clips; with `skipped`, unusable ones are left out and a message for each is appended there."""


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


def load_clips(root: Path) -> list[Clip]:
    """Return the clips of every data set in a folder; KIMORE is required.

    Raises:
        RecordingError: There is no folder `kimore`.
    """
    if not (root / "kimore").is_dir():
        msg = f"training data: expected a folder 'kimore' in {root}, found none; see docs/models/exercise.md"
        raise RecordingError(msg)
    clips: list[Clip] = []
    for name, loader in LOADERS.items():
        if (root / name).is_dir():
            loaded = loader(root / name)
            logger.info("%s: %d clips of %d subjects", name, len(loaded), len({clip.subject for clip in loaded}))
            clips.extend(loaded)
        else:
            logger.warning("%s: no such folder in %s; its movements are not trained as `none`", name, root)
    return clips
