"""Simulated sets of repetitions as joints with errors: all tempi, bodies and sizes, with the true count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import random_shape
from rehab_pose_sim.exercises import EXERCISES
from rehab_pose_sim.motions import LEAVE_S, Motion, Segment
from rehab_pose_sim.pose import Stance
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel

__all__ = ["PERIODS_S", "SetPlan", "draw_plans", "render_set"]

PERIODS_S = (0.7, 1.0, 1.6, 2.6, 4.2, 7.0, 12.0)
"""Mean time of a repetition [s]: from as fast as people can to as slow as a therapist asks."""
RATES_HZ = (20.0, 30.0, 30.0, 30.0)
"""Frame rates that are chosen from."""
COUNTS = (3, 4, 5, 6, 8)
ONE_SIDED = ("arm_lifting", "squat")
"""Incomplete attempts are simulated for these only: for the others half a cycle is ambiguous."""
SLOW_COUNTS = (2, 3, 4)
SLOW_S = 6.0
"""Period from which on SLOW_COUNTS are used [s]."""
IDLE_S = (1.5, 2.5)
"""Time of standing before and after the set [s]."""
PERSON_BIAS_M, FRAME_NOISE_M, DRIFT_M = 0.015, 0.010, 0.006
"""Standard deviations of a joint predictor's errors: constant per joint, independent per frame, and slow drift [m]."""
DRIFT_S = 1.0
"""Correlation time of the drift [s]."""
MISSING_SETS_FRACTION = 0.5
"""Fraction of the sets with missing joints."""
MISSING_FRACTION, MAX_MISSING_S = 0.01, 0.4
"""Fraction of joints missing in single frames, and longest time for which a joint is missing [s]."""
PAUSE_S = (0.4, 1.8)
"""Range of pauses between two repetitions [s]."""
SIZE_STD, TEMPO_STD = 0.05, 0.06
"""Standard deviations of the logarithms of size and period between the repetitions of a set."""
CAMERA_M = (0.0, 1.2, 2.6)
"""Position of the floor under the person in the camera's optical frame [m]."""
FIRST_NS = 1_000_000_000
"""Stamp of a set's first frame [ns]."""
PARTIAL_SIZE = 0.22
"""Size of an incomplete attempt as a fraction of the set's size."""


@dataclass(frozen=True)
class SetPlan:
    """Parameters of one simulated set."""

    label: str
    period_s: float
    count: int
    """Number of repetitions, without the incomplete attempt."""
    amplitude: float
    asymmetry: float
    shape_seed: int
    yaw_rad: float
    rate_hz: float
    noise_scale: float
    pauses: bool
    partial: bool
    """One incomplete attempt is among the repetitions and must not be counted."""
    joints_go_missing: bool
    seed: int


def draw_plans(seed: int, each: int, labels: Sequence[str] = tuple(EXERCISES)) -> list[SetPlan]:
    """Return `each` random plans per exercise and tempo."""
    random = np.random.default_rng([seed, 31])
    plans = []
    for label in labels:
        for period_s in PERIODS_S:
            for _ in range(each):
                slow = period_s >= SLOW_S
                partial = bool(random.random() < 0.2) and period_s >= 1.0  # faster attempts cannot be interrupted
                plans.append(
                    SetPlan(
                        label=label,
                        period_s=period_s,
                        count=int(random.choice(SLOW_COUNTS if slow else COUNTS)),
                        amplitude=float(random.uniform(0.55, 1.1)),
                        asymmetry=float(random.uniform(-0.25, 0.25)),
                        shape_seed=int(random.integers(0, 40)),
                        yaw_rad=float(np.deg2rad(random.uniform(-35.0, 35.0))),
                        rate_hz=float(random.choice(RATES_HZ)),
                        noise_scale=float(random.uniform(0.3, 1.5)),
                        pauses=bool(random.random() < 0.3) and period_s >= 1.6,
                        partial=partial and label in ONE_SIDED,
                        joints_go_missing=bool(random.random() < MISSING_SETS_FRACTION),
                        seed=int(random.integers(0, 2**31)),
                    )
                )
    return plans


def render_set(plan: SetPlan, model: BodyModel | None = None) -> tuple[list[Joints], NDArray[np.bool_]]:
    """Return the joints of a set with a predictor's errors, and the frames of the exercise.

    Returns:
        The frames; and (T) True from the first frame of the exercise to its last.
    """
    body = model or load_body_model()
    random = np.random.default_rng([plan.seed, 7])
    motion, pauses = _motion(plan, body, random)
    moving_s = motion.length_s + float(pauses[:, 1].sum())
    stamps_s = np.arange(0.0, IDLE_S[0] + moving_s + IDLE_S[1], 1.0 / plan.rate_hz)
    points, exercised = [], (stamps_s >= IDLE_S[0]) & (stamps_s < IDLE_S[0] + moving_s)
    for now_s in stamps_s:
        moment_s = np.clip(_without_pauses(now_s - IDLE_S[0], pauses), 0.0, motion.length_s - 1e-6)
        points.append(pose_joints(body, motion.at(float(moment_s)).parameters)[0])
    optical_m = np.array(points) * [1.0, -1.0, -1.0] + CAMERA_M
    return list(_frames(stamps_s, _with_errors(optical_m, plan, random))), exercised


def _motion(plan: SetPlan, body: BodyModel, random: np.random.Generator) -> tuple[Motion, NDArray[np.float64]]:
    """Return the movement without pauses, and the pauses (P, 2): start in the movement's time, and length [s]."""
    exercise = EXERCISES[plan.label]
    sizes = plan.amplitude * np.exp(random.normal(0.0, SIZE_STD, plan.count + plan.partial))
    periods_s = plan.period_s * np.exp(random.normal(0.0, TEMPO_STD, len(sizes)))
    if plan.partial:
        sizes[random.integers(1, len(sizes))] = PARTIAL_SIZE * plan.amplitude
    starts = exercise.lead_s + np.append(0.0, np.cumsum(periods_s))
    segment = Segment(plan.label, 0.0, float(starts[-1]) + LEAVE_S, starts, sizes)
    settings = SimulationSettings(seed=plan.seed, asymmetry=plan.asymmetry)
    betas = random_shape(np.random.default_rng(plan.shape_seed), body.shape_count)
    stance = Stance(body, betas, place_m=(0.0, 0.0), heading_rad=plan.yaw_rad)
    chosen = starts[1:-1][random.random(len(starts) - 2) < 0.5] if plan.pauses else np.zeros(0)
    return Motion(stance, (segment,), settings), np.stack([chosen, random.uniform(*PAUSE_S, len(chosen))], axis=1)


def _without_pauses(time_s: float, pauses: NDArray[np.float64]) -> float:
    """Return the movement's time [s], which does not advance during pauses."""
    for start_s, length_s in pauses:
        if time_s <= start_s:
            return time_s
        time_s = max(start_s, time_s - length_s)
    return time_s


def _with_errors(optical_m: NDArray[np.float64], plan: SetPlan, random: np.random.Generator) -> NDArray[np.float64]:
    """Return joints (T, J, 3) [m] with a predictor's errors: constant, drifting, independent per frame, and missing."""
    length, joints = optical_m.shape[:2]
    decay = np.exp(-1.0 / (plan.rate_hz * DRIFT_S))
    drift_m = np.zeros((length, joints, 3))
    steps_m = random.normal(0.0, DRIFT_M * np.sqrt(1.0 - decay**2), (length, joints, 3))
    for row in range(1, length):
        drift_m[row] = decay * drift_m[row - 1] + steps_m[row]
    bias_m = random.normal(0.0, PERSON_BIAS_M, (joints, 3))
    noise_m = random.normal(0.0, FRAME_NOISE_M, (length, joints, 3))
    measured = optical_m + plan.noise_scale * (bias_m + drift_m + noise_m)
    if plan.joints_go_missing:
        measured[random.random((length, joints)) < MISSING_FRACTION] = np.nan
        for _ in range(max(1, round(length / plan.rate_hz / 5.0))):
            first, joint = int(random.integers(0, length)), int(random.integers(0, joints))
            measured[first : first + round(plan.rate_hz * random.uniform(0.1, MAX_MISSING_S)), joint] = np.nan
    return measured


def _frames(stamps_s: NDArray[np.float64], measured_m: NDArray[np.float64]) -> Iterator[Joints]:
    for stamp_s, points_m in zip(stamps_s, measured_m, strict=True):
        missing = np.isnan(points_m).any(axis=-1)
        yield Joints(
            stamp_ns=FIRST_NS + round(stamp_s * 1e9),
            frame_id="camera_color_optical_frame",
            skeleton=SMPL_24,
            positions_m=points_m,
            confidence=np.where(missing, 0.0, 1.0),
            sigma_m=np.full(len(SMPL_24), 0.02),
            visibility=np.where(missing, JointVisibility.MISSING, JointVisibility.OBSERVED).astype(np.uint8),
        )
