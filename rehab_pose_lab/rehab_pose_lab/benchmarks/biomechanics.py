"""Benchmark of joint-angle solving: errors against known rotations, next to KinePose's own results."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_lab.datasets.kinepose import load_ik_sequence, load_pose_text
from rehab_pose_lab.datasets.location import data_folder
from rehab_pose_lab.methods.biomechanics.comparison import (
    FRAME_S,
    LINK_SETTINGS,
    link_angles_rad,
    mpjas_deg,
    observe_keypoints,
    observe_links,
    smooth_keypoints,
    track_keypoints,
)
from rehab_pose_lab.methods.biomechanics.ik_sequences import IkSequence, ik_sequences
from rehab_pose_lab.methods.biomechanics.preset import KinePosePreset, load_kinepose_preset
from rehab_pose_lab.methods.biomechanics.tracker import Tracker

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.methods.biomechanics.tracker import TrackedPose

__all__ = ["KINEPOSE", "biomechanics_metrics", "ik_metrics"]

NOISE_M = 0.02
"""Standard deviation of the noise on each coordinate [m]."""
NOISE_SEEDS = range(4)
FALL, BASEBALL = "Gildea2024_JBiomech.txt", "3D_keypoints.txt"
BASEBALL_FRAMES = 100
SYNTHETIC = ("synth_a_bent", "synth_a_ext", "synth_b_bent", "synth_b_ext")
KINEPOSE = {
    "mpjas_online_deg": 2.10,
    "paper_mpjas_deg": 3.7,
    "paper_mpjas_lower_deg": 1.6,
    "fall_loss": 0.319,
    "baseball_loss": 0.266,
    "baseball_angle_deg": 4.23,
    "baseball_jump_deg": 68.4,
    "noise_bent_online_deg": 9.54,
    "noise_bent_offline_deg": 3.89,
    "noise_ext_online_deg": 13.2,
    "noise_ext_offline_deg": 12.2,
    "ik_fps": 0.47,
}
"""Results of KinePose on the same data and machine; `paper_...`: on the sequences of its authors, not on ours."""


def _kinepose_data() -> Path | None:
    folder = data_folder() / "kinepose"
    return folder if folder.is_dir() else None


def _rotations(solutions: list[TrackedPose]) -> NDArray[np.float64]:
    return np.array([solution.rotations for solution in solutions])


def _violations(preset: KinePosePreset, solutions: list[TrackedPose]) -> int:
    """Return the number of angles outside their limits."""
    angles = np.array([solution.pose.angles_rad for solution in solutions])
    return int(np.count_nonzero((angles < preset.chain.lower_rad) | (angles > preset.chain.upper_rad)))


def _both_ways(
    preset: KinePosePreset, keypoints_m: NDArray[np.float64], truth: NDArray[np.float64]
) -> tuple[NDArray[np.float64], int]:
    """Return the MPJAS online, online of the lower limbs, offline, offline of the lower limbs [deg]; and violations."""
    observed = observe_keypoints(preset, keypoints_m)
    online, offline = track_keypoints(preset, observed), smooth_keypoints(preset, observed)
    scores = [*mpjas_deg(preset, _rotations(online), truth), *mpjas_deg(preset, _rotations(offline), truth)]
    return np.array(scores), _violations(preset, online) + _violations(preset, offline)


def ik_metrics(path: Path) -> dict[str, float]:
    """Return the errors on one file of keypoints with known rotations, online and offline, and KinePose's if given.

    Raises:
        RecordingError: The file cannot be used.
    """
    preset, sequence = load_kinepose_preset(), load_ik_sequence(path)
    scores, violations = _both_ways(preset, sequence.keypoints_m, sequence.rotations)
    metrics = {
        "mpjas_online_deg": scores[0],
        "mpjas_lower_online_deg": scores[1],
        "mpjas_offline_deg": scores[2],
        "mpjas_lower_offline_deg": scores[3],
        "limit_violations": float(violations),
        "frames": float(len(sequence.keypoints_m)),
    }
    if sequence.kinepose_rotations is not None:
        kinepose, kinepose_lower = mpjas_deg(preset, sequence.kinepose_rotations, sequence.rotations)
        metrics |= {"kinepose_mpjas_deg": kinepose, "kinepose_mpjas_lower_deg": kinepose_lower}
    return {name: float(value) for name, value in metrics.items()}


def _synthetic(preset: KinePosePreset, folder: Path) -> dict[str, float]:
    """Return the metrics of KinePose's four sequences with known rotations, without and with noise."""
    scores, violations, worse = [], 0, 0
    for name in SYNTHETIC:
        sequence = load_ik_sequence(folder / f"{name}.npz")
        score, outside = _both_ways(preset, sequence.keypoints_m, sequence.rotations)
        scores.append(score)
        violations += outside
        if sequence.kinepose_rotations is not None:
            worse += int(
                max(score[0], score[2]) > mpjas_deg(preset, sequence.kinepose_rotations, sequence.rotations)[0]
            )
    online, lower_online, offline, lower_offline = np.mean(scores, axis=0).tolist()
    metrics = {
        "mpjas_online_deg": online,
        "mpjas_offline_deg": offline,
        "mpjas_lower_online_deg": lower_online,
        "mpjas_lower_offline_deg": lower_offline,
        "sequences_worse_than_kinepose": float(worse),
    }
    for short, name in (("bent", "synth_b_bent"), ("ext", "synth_b_ext")):
        sequence = load_ik_sequence(folder / f"{name}.npz")
        noisy_scores = []
        for seed in NOISE_SEEDS:
            noise = np.random.default_rng(seed).normal(0.0, NOISE_M, sequence.keypoints_m.shape)
            score, outside = _both_ways(preset, sequence.keypoints_m + noise, sequence.rotations)
            noisy_scores.append(score)
            violations += outside
        metrics[f"noise_{short}_online_deg"] = float(np.mean(noisy_scores, axis=0)[0])
        metrics[f"noise_{short}_offline_deg"] = float(np.mean(noisy_scores, axis=0)[2])
    sequence = load_ik_sequence(folder / "noise20mm_b_bent.npz")
    score, outside = _both_ways(preset, sequence.keypoints_m, sequence.rotations)
    metrics |= {"noise_file_online_deg": float(score[0]), "noise_file_offline_deg": float(score[2])}
    return metrics | {"limit_violations": float(violations + outside)}


def _recorded(folder: Path) -> dict[str, float]:
    """Return KinePose's own loss on its sample poses, with its limits as its program rounds them."""
    preset = load_kinepose_preset(rounded=True)
    metrics: dict[str, float] = {}
    violations = 0
    fall, baseball = load_pose_text(folder / "pose3d" / FALL), load_pose_text(folder / "pose3d" / BASEBALL)
    online = track_keypoints(preset, observe_links(preset, fall), LINK_SETTINGS)
    angles = link_angles_rad(preset, np.array([s.positions_m for s in online]), fall)
    metrics |= {"fall_loss": float((angles**2).sum(axis=1).mean()), "fall_angle_deg": float(np.rad2deg(angles.mean()))}
    violations += _violations(preset, online)
    offline = smooth_keypoints(preset, observe_links(preset, baseball), LINK_SETTINGS)
    violations += _violations(preset, offline)
    first, measured_m = offline[:BASEBALL_FRAMES], baseball[:BASEBALL_FRAMES]
    angles = link_angles_rad(preset, np.array([s.positions_m for s in first]), measured_m)
    steps = np.rad2deg(np.diff([s.pose.angles_rad for s in first], axis=0))
    return metrics | {
        "baseball_loss": float((angles**2).sum(axis=1).mean()),
        "baseball_angle_deg": float(np.rad2deg(angles.mean())),
        "baseball_jump_deg": float(np.abs(steps).max()),
        "baseball_second_difference_deg": float(np.abs(np.diff(steps, axis=0)).mean()),
        "baseball_frames": float(len(offline)),
        "limit_violations": float(violations),
    }


def _paper(preset: KinePosePreset, sequences: list[IkSequence]) -> dict[str, float]:
    """Return the metrics of generated sequences by the protocol of the paper."""
    scores, violations = [], 0
    for sequence in sequences:
        score, outside = _both_ways(preset, sequence.keypoints_m, sequence.rotations)
        scores.append(score)
        violations += outside
    table = np.array(scores)
    metrics = {
        "paper_mpjas_deg": float(table[:, 0].mean()),
        "paper_mpjas_lower_deg": float(table[:, 1].mean()),
        "paper_mpjas_offline_deg": float(table[:, 2].mean()),
        "paper_mpjas_lower_offline_deg": float(table[:, 3].mean()),
        "limit_violations": float(violations),
    }
    for speed in sorted({sequence.speed for sequence in sequences}):
        rows = [place for place, sequence in enumerate(sequences) if sequence.speed == speed]
        metrics[f"paper_{speed}_mpjas_deg"] = float(table[rows, 0].mean())
    for name, straight in (("bent", False), ("ext", True)):
        rows = [place for place, sequence in enumerate(sequences) if sequence.straight_phases is straight]
        metrics[f"paper_{name}_mpjas_deg"] = float(table[rows, 0].mean())
    return metrics


def _speed(preset: KinePosePreset, sequences: list[IkSequence]) -> dict[str, float]:
    """Return frames per second online and the 99th percentile of the time per frame [ms], including cold starts."""
    spent_s = []
    for sequence in sequences:
        tracker = Tracker(preset.chain)
        for frame in observe_keypoints(preset, sequence.keypoints_m):
            start = time.perf_counter()
            tracker.solve(frame, FRAME_S)
            spent_s.append(time.perf_counter() - start)
    return {"ik_fps": 1.0 / float(np.mean(spent_s)), "ik_p99_ms": 1e3 * float(np.percentile(spent_s, 99))}


def biomechanics_metrics() -> dict[str, float]:
    """Return all metrics of joint-angle solving; those on KinePose's data only where `data_folder()` contains them.

    Raises:
        RecordingError: The data exist but are unusable.
    """
    preset = load_kinepose_preset()
    sequences, folder = ik_sequences(preset), _kinepose_data()
    parts = [_paper(preset, sequences), _speed(preset, sequences)]
    if folder is not None:
        parts += [_synthetic(preset, folder), _recorded(folder)]
    violations = sum(part.pop("limit_violations", 0.0) for part in parts)
    metrics: dict[str, float] = {}
    for part in parts:
        metrics |= part
    return metrics | {"limit_violations": violations}
