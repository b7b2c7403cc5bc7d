"""Accuracy on UTD-MHAD: real depth without colour, against the joints of a Kinect v1, and jitter of people at rest.

A Kinect places many joints elsewhere than SMPL, so the mean difference of each joint over the set is taken out. Its
own errors remain: the measured errors are upper limits, and the coverage of the predicted intervals a lower one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.coverage import coverage_pct
from rehab_pose_lab.datasets.utd_mhad import FRAME_NS, SMPL_INDICES, UTD_JOINTS, load_utd_mhad, utd_subjects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import JointAngles
    from rehab_pose_lab.benchmarks.depth_estimators import DepthEstimate, DepthEstimator
    from rehab_pose_lab.datasets.utd_mhad import UtdRecording

__all__ = [
    "HELD_OUT",
    "UtdErrors",
    "UtdRun",
    "arms_turned",
    "drawn_runs",
    "jitter_mm",
    "still_runs",
    "utd_errors",
    "utd_metrics",
]

FRAMES = 800
"""Number of compared frames, in equal parts from all subjects."""
SEED = 20131
"""Seed of the drawn frames."""
RUN_FRAMES = 4
"""Consecutive frames of each run, which filters need; the last one is compared."""
EDGE = 0.1
"""First and last fraction of each recording that is not compared: nearly all show the same upright person at rest."""
STILL_FRAMES = 7
"""Consecutive frames over which jitter is measured."""
SETTLING_FRAMES = 15
"""Largest number of frames before them, in which the filters settle."""
STILL_M = 0.005
"""A person is at rest where no joint of the Kinect leaves its mean over STILL_FRAMES by more than this [m]."""
TESTED = tuple(place for place, name in enumerate(UTD_JOINTS) if not name.endswith(("hand", "foot")))
"""Joints of UTD_JOINTS that are tested for rest, and whose jitter is measured: a Kinect's hands and feet never rest."""
STILL_RUNS = 10
"""Largest number of runs at rest of each subject."""
PAUSE_NS = 1_000_000_000
"""Time without a person between two runs [ns]; the stages forget the pose but keep the shape of the subject."""
TURN_RAD = np.radians(10.0)
"""An upper arm that turns by more than this between two frames is fast, as in a throw [rad]: 300 degrees a second."""
UPPER_ARMS = [[UTD_JOINTS.index(f"{side}_{name}") for name in ("shoulder", "elbow")] for side in ("left", "right")]
HELD_OUT = ("s7", "s8")
"""Subjects that are never trained on."""


class UtdRun(NamedTuple):
    """Consecutive frames of one recording."""

    recording: UtdRecording
    first: int
    last: int
    """Numbers of the first and last frame."""


@dataclass(frozen=True, eq=False)
class UtdErrors:
    """Joints of one method relative to the Kinect's in N compared frames, and the method's jitter in S runs at rest."""

    subjects: tuple[str, ...]
    """(N)."""
    difference_m: NDArray[np.float64]
    """(N, 24, 3) [m]; NaN where the method or the Kinect lacks the joint, and on arms that the Kinect lost."""
    sigma_m: NDArray[np.float64]
    """(N, 24) [m]."""
    angles: tuple[tuple[JointAngles | None, ...], ...]
    """(N) angles in the frames of each run."""
    turned: NDArray[np.bool_]
    """(N, RUN_FRAMES - 1, 2) the Kinect's left and right upper arm turns by more than TURN_RAD to the next frame."""
    jitter_mm: NDArray[np.float64]
    """(S, len(TESTED)) root mean square of each joint's distance from its mean over a run at rest [mm]."""

    def errors_mm(self) -> NDArray[np.float64]:
        """Return distances (N, 24) [mm] without the mean difference of each joint over the set; NaN = not compared."""
        known = np.asarray(np.isfinite(self.difference_m).all(axis=2))[..., None]
        total_m = np.where(known, self.difference_m, 0.0).sum(axis=0)
        centred_m = self.difference_m - total_m / np.maximum(known.sum(axis=0), 1)
        return 1e3 * np.asarray(np.linalg.norm(centred_m, axis=2))


def utd_errors(root: Path, methods: Mapping[str, DepthEstimator], *, frames: int = FRAMES) -> dict[str, UtdErrors]:
    """Compare methods with the Kinect in the same frames.

    Args:
        root: Folder of the data set.
        methods: By name; each one is reset before every subject.
        frames: Number of compared frames.

    Raises:
        RecordingError: The data set is missing or damaged.
    """
    random = np.random.default_rng(SEED)
    count = len(utd_subjects(root))
    parts: dict[str, list[UtdErrors]] = {name: [] for name in methods}
    groups = groupby(load_utd_mhad(root), lambda recording: recording.subject)
    for subject, group in tqdm(groups, desc="utd_mhad", total=count):
        recordings = list(group)
        compared = drawn_runs(recordings, -(-frames // count), random)
        at_rest = still_runs(recordings)[:STILL_RUNS]
        for name, method in methods.items():
            parts[name].append(_errors_of_subject(method, subject, compared, at_rest))
    return {name: _joined(of_method) for name, of_method in parts.items()}


def drawn_runs(recordings: Sequence[UtdRecording], count: int, random: np.random.Generator) -> list[UtdRun]:
    """Return runs of RUN_FRAMES frames whose last ones are drawn evenly from the inner frames, in order."""
    before = RUN_FRAMES - 1
    ends = [
        (recording, end)
        for recording in recordings
        for end in range(max(before, int(EDGE * len(recording))), int((1.0 - EDGE) * len(recording)))
    ]
    drawn = np.sort(random.choice(len(ends), min(count, len(ends)), replace=False))
    return [UtdRun(recording, end - before, end) for recording, end in (ends[number] for number in drawn)]


def still_runs(recordings: Sequence[UtdRecording]) -> list[UtdRun]:
    """Return the runs in which the Kinect's joints rest during the last STILL_FRAMES, none sharing such a frame."""
    runs = []
    for recording in recordings:
        if len(recording) < RUN_FRAMES + STILL_FRAMES:
            continue
        joints_m = recording.joints_m[:, TESTED]
        windows_m = np.lib.stride_tricks.sliding_window_view(joints_m, STILL_FRAMES, axis=0)
        distance_m = np.linalg.norm(windows_m - windows_m.mean(axis=-1, keepdims=True), axis=2)
        rests = distance_m.max(axis=(1, 2)) <= STILL_M  # False where a joint is NaN
        start = RUN_FRAMES
        while start < len(rests):
            if rests[start]:
                runs.append(UtdRun(recording, max(start - SETTLING_FRAMES, 0), start + STILL_FRAMES - 1))
                start += STILL_FRAMES
            else:
                start += 1
    return runs


def _errors_of_subject(
    method: DepthEstimator, subject: str, compared: Sequence[UtdRun], at_rest: Sequence[UtdRun]
) -> UtdErrors:
    missing = np.full((len(SMPL_24), 3), np.nan)
    differences, sigmas, angles, turned, jitters = [], [], [], [], []
    method.reset()
    stamp_ns = 0
    for run in compared:
        estimates = _estimates(method, run, stamp_ns)
        stamp_ns += (run.last - run.first) * FRAME_NS + PAUSE_NS
        last = estimates[-1]
        kinect_m = run.recording.frame(run.last).smpl_joints_m()
        differences.append((missing if last is None else last.positions_m) - kinect_m)
        sigmas.append(missing[:, 0] if last is None else last.sigma_m)
        angles.append(tuple(None if estimate is None else estimate.angles for estimate in estimates))
        turned.append(arms_turned(run.recording.joints_m[run.first : run.last + 1]))
    for run in at_rest:
        estimates = _estimates(method, run, stamp_ns)[-STILL_FRAMES:]
        stamp_ns += (run.last - run.first) * FRAME_NS + PAUSE_NS
        joints_m = np.array([missing if estimate is None else estimate.positions_m for estimate in estimates])
        jitters.append(jitter_mm(joints_m[:, [SMPL_INDICES[place] for place in TESTED]]))
    return UtdErrors(
        subjects=(subject,) * len(compared),
        difference_m=np.array(differences).reshape(-1, len(SMPL_24), 3),
        sigma_m=np.array(sigmas).reshape(-1, len(SMPL_24)),
        angles=tuple(angles),
        turned=np.array(turned).reshape(len(compared), -1, 2),
        jitter_mm=np.array(jitters).reshape(-1, len(TESTED)),
    )


def _estimates(method: DepthEstimator, run: UtdRun, stamp_ns: int) -> list[DepthEstimate | None]:
    """Return the estimates of all frames of a run that begins at a stamp [ns]."""
    cleaner = DepthCleaner()
    method.pause()
    estimates = []
    for index in range(run.first, run.last + 1):
        silhouette = run.recording.frame(index).silhouette(cleaner)
        stamped = (
            None if silhouette is None else replace(silhouette, stamp_ns=stamp_ns + (index - run.first) * FRAME_NS)
        )
        estimates.append(None if stamped is None else method.estimate(stamped))
    return estimates


def arms_turned(joints_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return True (T - 1, 2) where the left and right upper arms of joints (T, 20, 3) [m] turn faster than TURN_RAD."""
    arms_m = joints_m[:, UPPER_ARMS]
    directions = arms_m[:, :, 1] - arms_m[:, :, 0]
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    cosines = (directions[1:] * directions[:-1]).sum(axis=2)
    return np.asarray(cosines < np.cos(TURN_RAD))


def jitter_mm(joints_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the root mean square (J) of the distances of joints (T, J, 3) [m] from their means over time [mm]."""
    distance_m = np.linalg.norm(joints_m - joints_m.mean(axis=0), axis=2)
    return 1e3 * np.asarray(np.sqrt((distance_m**2).mean(axis=0)))


def _joined(parts: Sequence[UtdErrors]) -> UtdErrors:
    return UtdErrors(
        subjects=tuple(subject for part in parts for subject in part.subjects),
        difference_m=np.concatenate([part.difference_m for part in parts]),
        sigma_m=np.concatenate([part.sigma_m for part in parts]),
        angles=tuple(run for part in parts for run in part.angles),
        turned=np.concatenate([part.turned for part in parts]),
        jitter_mm=np.concatenate([part.jitter_mm for part in parts]),
    )


def utd_metrics(errors: UtdErrors) -> dict[str, float]:
    """Return mean errors over all joints and those of some [mm], coverage [%] and jitter [mm]."""
    errors_mm = errors.errors_mm()
    held_out = np.isin(errors.subjects, HELD_OUT)
    metrics = {"utd_mm_mean": _mean(errors_mm), "utd_heldout_mm_mean": _mean(errors_mm[held_out])}
    for name in ("shoulder", "elbow", "wrist", "hand", "hip", "knee", "ankle", "foot"):
        sides = [SMPL_24.index(f"{side}_{name}") for side in ("left", "right")]
        metrics[f"utd_{name}_mm"] = _mean(errors_mm[:, sides])
        metrics[f"utd_heldout_{name}_mm"] = _mean(errors_mm[held_out][:, sides])
    metrics["utd_missing_pct"] = 100.0 * (1.0 - float(np.isfinite(errors_mm).any(axis=1).mean()))
    metrics["cover90_utd_pct"] = coverage_pct(errors_mm * 1e-3, errors.sigma_m)
    metrics["still_utd_rms_mm"] = _root_mean_square(errors.jitter_mm)
    metrics["still_utd_runs"] = float(len(errors.jitter_mm))
    return metrics


def _mean(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _root_mean_square(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(np.sqrt((known**2).mean())) if known.size else float("nan")
