"""Postures of recorded people for rendering: a few frames of every clip, fitted to the body.

Only rotations are kept: no recording, no picture and no body of a real person is in the rendered samples.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.settings import BodySettings
from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.ui_prmd import load_ui_prmd
from rehab_pose_lab.datasets.utkinect import load_utkinect
from rehab_pose_lab.training.recorded_motion import fitted_rotations
from rehab_pose_lab.training.splits import by_subject, held_out_subjects

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["HELD_OUT_FRACTION", "SPLIT_SEED", "make_posture_library", "recorded_clips"]

logger = logging.getLogger(__name__)

LOADERS = {"kimore": load_kimore, "ui_prmd": load_ui_prmd, "utkinect": load_utkinect}
HELD_OUT_FRACTION = 0.2
SPLIT_SEED = 7
"""Whose movements are never trained on: a fifth of the subjects of each set."""
EVERY_S = 0.3
"""A clip is thinned to one frame in this time before it is fitted [s]."""
POSTURES_PER_CLIP = {"kimore": 16, "ui_prmd": 5, "utkinect": 12}
"""UI-PRMD's clips hold one repetition, KIMORE's a whole exercise."""


def recorded_clips(root: Path) -> tuple[list[Clip], list[Clip]]:
    """Return the clips to train on and those of the subjects held out, of every data set found under a folder.

    Raises:
        RecordingError: None of the data sets is there.
    """
    clips = [clip for name, load in LOADERS.items() if (root / name).is_dir() for clip in load(root / name)]
    if not clips:
        msg = f"postures: expected at least one of {', '.join(LOADERS)} in {root}, found none"
        raise RecordingError(msg)
    return by_subject(clips, held_out_subjects(clips, HELD_OUT_FRACTION, SPLIT_SEED))


def make_posture_library(root: Path, path: Path, seed: int) -> NDArray[np.float64]:
    """Return (N, 24, 3) rotations of people recorded in the sets under a folder, from a file if it is there already.

    Args:
        root: Folder with one folder a data set.
        path: Where the library is kept (.npz), so that it is fitted once.
        seed: Of the choice of frames.

    Raises:
        RecordingError: No data set is there.
    """
    if path.is_file():
        with np.load(path) as arrays:
            kept: NDArray[np.float64] = arrays["rotations_rad"].astype(np.float64)
        return kept
    clips, _ = recorded_clips(root)
    random = np.random.default_rng(seed)
    fitter = BodyFitter(BodySettings(with_vertices=False, pose_weight=2.0))
    postures, left_out = [], 0
    for clip in tqdm(clips, unit="clip", mininterval=5.0, desc="postures"):
        try:
            rotations, _ = fitted_rotations(_thinned(clip), fitter)
        except RecordingError as error:
            logger.debug("%s", error)
            left_out += 1
            continue
        count = min(POSTURES_PER_CLIP[clip.dataset], len(rotations))
        postures.append(rotations[random.choice(len(rotations), count, replace=False)])
    library = np.concatenate(postures)
    logger.info("%d postures from %d clips; %d clips show no usable person", len(library), len(clips), left_out)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, rotations_rad=library.astype(np.float32))
    return library


def _thinned(clip: Clip) -> Clip:
    period_s = float(np.median(np.diff(clip.stamps_ns))) * 1e-9 if len(clip.stamps_ns) > 1 else EVERY_S
    step = max(1, round(EVERY_S / period_s))
    stamps_ns, positions_m, confidence = clip.stamps_ns[::step], clip.positions_m[::step], clip.confidence[::step]
    return replace(clip, stamps_ns=stamps_ns, positions_m=positions_m, confidence=confidence)
