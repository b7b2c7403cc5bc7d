"""Poses of recorded people for rendering: some frames of every clip, fitted to the body model.

Only joint rotations are kept: the rendered samples contain no recording, image or body shape of a real person.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.array_file import ArrayFile
from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.ui_prmd import load_ui_prmd
from rehab_pose_lab.datasets.utkinect import load_utkinect
from rehab_pose_lab.training.recorded_motion import fitted_rotations
from rehab_pose_lab.training.splits import by_subject, held_out_subjects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["HELD_OUT_FRACTION", "SPLIT_SEED", "fit_poses", "load_or_make_poses", "make_pose_library", "recorded_clips"]

logger = logging.getLogger(__name__)

LOADERS = {"kimore": load_kimore, "ui_prmd": load_ui_prmd, "utkinect": load_utkinect}
HELD_OUT_FRACTION = 0.2
SPLIT_SEED = 7
"""A fifth of the subjects of each set is held out and never trained on."""
FRAME_INTERVAL_S = 0.3
"""A clip is reduced to one frame per interval before it is fitted [s]."""
POSE_WEIGHT = 2.0
"""Weight of the body fit's pose prior for these fits."""
POSES_PER_CLIP = {"kimore": 16, "ui_prmd": 5, "utkinect": 12}
"""Poses taken from a clip of each set: UI-PRMD's clips contain one repetition, KIMORE's a whole exercise."""


def recorded_clips(root: Path) -> tuple[list[Clip], list[Clip]]:
    """Return the clips to train on and those of the held-out subjects, of every data set in a folder.

    Raises:
        RecordingError: The folder contains none of the data sets.
    """
    clips = [clip for name, load in LOADERS.items() if (root / name).is_dir() for clip in load(root / name)]
    if not clips:
        msg = f"poses: expected at least one of {', '.join(LOADERS)} in {root}, found none"
        raise RecordingError(msg)
    return by_subject(clips, held_out_subjects(clips, HELD_OUT_FRACTION, SPLIT_SEED))


def load_or_make_poses(path: Path, make: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the rotation vectors (N, 24, 3) [rad] stored in a file; make and store them where there is no file."""
    if path.is_file():
        with ArrayFile(path) as arrays:
            stored: NDArray[np.float64] = arrays["rotations_rad"].astype(np.float64)
        return stored
    poses = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, rotations_rad=poses.astype(np.float32))
    return poses


def make_pose_library(root: Path, path: Path, seed: int) -> NDArray[np.float64]:
    """Return rotation vectors (N, 24, 3) [rad] of people recorded in the data sets of a folder.

    Args:
        root: Folder with one folder per data set.
        path: File for the library (.npz); it is read where it exists already.
        seed: Seed of the choice of frames.

    Raises:
        RecordingError: The folder contains none of the data sets.
    """

    def make() -> NDArray[np.float64]:
        clips, _ = recorded_clips(root)
        random = np.random.default_rng(seed)

        def choose(clip: Clip, count: int) -> NDArray[np.int64]:
            return random.choice(count, min(POSES_PER_CLIP[clip.dataset], count), replace=False)

        return fit_poses(clips, choose, "poses")

    return load_or_make_poses(path, make)


def fit_poses(
    clips: Sequence[Clip], choose: Callable[[Clip, int], NDArray[np.int64]], description: str
) -> NDArray[np.float64]:
    """Fit the body to clips and return the rotation vectors (N, 24, 3) [rad] of the chosen frames.

    Args:
        clips: Recordings; those that show no usable person are left out.
        choose: Given a clip and its number of fitted frames, returns the frames to keep.
        description: Title of the progress bar.

    Raises:
        RecordingError: No clip shows a usable person.
    """
    fitter = BodyFitter(BodySettings(with_vertices=False, pose_weight=POSE_WEIGHT))
    poses, left_out = [], 0
    for clip in tqdm(clips, unit="clip", mininterval=5.0, desc=description):
        try:
            rotations, _ = fitted_rotations(_thinned(clip), fitter)
        except RecordingError as error:
            logger.debug("%s", error)
            left_out += 1
            continue
        poses.append(rotations[choose(clip, len(rotations))])
    if not poses:
        msg = f"{description}: expected a clip with a usable person, found none in {len(clips)} clips"
        raise RecordingError(msg)
    library = np.concatenate(poses)
    logger.info("%d poses from %d clips; %d clips show no usable person", len(library), len(clips), left_out)
    return library


def _thinned(clip: Clip) -> Clip:
    """Return a clip with one frame per FRAME_INTERVAL_S."""
    period_s = float(np.median(np.diff(clip.stamps_ns))) * 1e-9 if len(clip.stamps_ns) > 1 else FRAME_INTERVAL_S
    step = max(1, round(FRAME_INTERVAL_S / period_s))
    stamps_ns, positions_m, confidence = clip.stamps_ns[::step], clip.positions_m[::step], clip.confidence[::step]
    return replace(clip, stamps_ns=stamps_ns, positions_m=positions_m, confidence=confidence)
