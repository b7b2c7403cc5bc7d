"""Movements of postures over time: bodies that rest on a surface, and people who sit on a chair."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.skinning import pose_vertices
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.exercises import MAX_AMPLITUDE, one_sided, side_to_side
from rehab_pose_sim.free_pose import BodyRegions, about, rest_on
from rehab_pose_sim.motions import Motion, MotionSample, motion_plan, repetition_timing
from rehab_pose_sim.pose import HANGING, ScriptedPose, Stance, mirrored, smoothstep
from rehab_pose_sim.postures import standing
from rehab_pose_sim.resting_exercises import RESTING_EXERCISES
from rehab_pose_sim.scripted_posture import posture_of
from rehab_pose_sim.seated_stance import SeatedStance
from rehab_pose_sim.supports import support_height_m
from rehab_pose_sim.upright_exercises import ON_THIGHS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import BodyParameters
    from rehab_pose_sim.free_pose import FreePose
    from rehab_pose_sim.motions import BodyMotion, Segment
    from rehab_pose_sim.postures import Posture
    from rehab_pose_sim.settings import SimulationSettings

__all__ = [
    "PostureMotion",
    "RestingExerciseMotion",
    "SeatedMotion",
    "mirrored_body",
    "moved",
    "resting_lift",
    "subject_heading_rad",
    "subject_motion",
]


def _other_side(name: str) -> str:
    if name.startswith("left_"):
        return name.replace("left_", "right_")
    return name.replace("right_", "left_")


MIRRORED_JOINTS = np.array([SMPL_24.index(_other_side(name)) for name in SMPL_24.joint_names])
"""Index in SMPL_24 of each joint's counterpart on the other side; its own on the midline."""
BREATHS_HZ = 0.25
"""Breaths a second of a person at rest [Hz]."""
BREATH_RAD, SWAY_RAD = 0.012, 0.01
"""Amplitudes of the trunk's movement with the breath, and of the sway of head and arms [rad]."""
REPETITIONS = 3
"""Movements after which a posture's motion repeats."""
ON_TABLE = mirrored(((0.3, -1.0, 0.45), (-0.25, -0.02, 1.0)))
"""Directions of both arms of a person who sits at a table."""


def subject_heading_rad(settings: SimulationSettings) -> float:
    """Return the angle by which the subject is turned to the left: that of the posture and that of the settings."""
    return posture_of(settings).facing_rad + float(np.radians(settings.yaw_deg))


def subject_motion(settings: SimulationSettings, model: BodyModel, betas: NDArray[np.float64]) -> BodyMotion:
    """Return the movement of the subject in the posture of the settings."""
    posture, heading = posture_of(settings), subject_heading_rad(settings)
    if settings.exercise in RESTING_EXERCISES:
        return RestingExerciseMotion(model, betas, settings)
    if posture.seated == "exercises":
        return Motion(SeatedStance(model, betas, heading_rad=heading), motion_plan(settings), settings)
    if posture.seated:
        return SeatedMotion(model, betas, posture, settings)
    if posture.pose is not None:
        return PostureMotion(model, betas, posture, settings)
    stance = Stance(model, betas, place_m=(0.0, 0.0), heading_rad=heading)
    return Motion(stance, motion_plan(settings), settings)


def moved(
    parameters: BodyParameters,
    pelvis_m: NDArray[np.float64],
    centre_m: NDArray[np.float64],
    turn: NDArray[np.float64],
    place_m: NDArray[np.float64],
) -> BodyParameters:
    """Return body parameters after a turn about the vertical through a centre, which then lies at a place.

    Args:
        parameters: Of the body.
        pelvis_m: (3) the pelvis joint at rest [m].
        centre_m: (3) centre of the turn [m].
        turn: (3, 3) rotation about the vertical.
        place_m: (3) new place of the centre [m].
    """
    rotations = parameters.rotations_rad.copy()
    rotations[0] = axis_angles_from_matrices(turn @ matrices_from_axis_angles(rotations[0]))
    pelvis = turn @ (pelvis_m + parameters.translation_m - centre_m) + place_m
    return replace(parameters, rotations_rad=rotations, translation_m=pelvis - pelvis_m)


def mirrored_body(parameters: BodyParameters, pelvis_m: NDArray[np.float64]) -> BodyParameters:
    """Return body parameters with left and right exchanged by the plane x = 0.

    Args:
        parameters: Of the body.
        pelvis_m: (3) the pelvis joint at rest [m].
    """
    rotations = parameters.rotations_rad[MIRRORED_JOINTS] * [1.0, -1.0, -1.0]
    pelvis = (pelvis_m + parameters.translation_m) * [-1.0, 1.0, 1.0]
    return replace(parameters, rotations_rad=rotations, translation_m=pelvis - pelvis_m)


class PostureMotion:
    """A body that rests on a surface and moves as its posture says; the middle of its outline stays at the origin."""

    def __init__(
        self, model: BodyModel, betas: NDArray[np.float64], posture: Posture, settings: SimulationSettings
    ) -> None:
        self._model, self._betas, self._posture, self._settings = model, betas, posture, settings
        self._script = posture.pose or standing
        self._regions = BodyRegions(model)
        self._turn = about(1, subject_heading_rad(settings))
        self._pelvis_m = model.joints(betas)[0]
        self._place_m = np.array([0.0, support_height_m(settings), 0.0])
        vertices = pose_vertices(model, self._at_rest(self._pose(0.0)))
        self._centre_m = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0)) * [1.0, 0.0, 1.0]

    @property
    def length_s(self) -> float:
        """Time after which the movement repeats [s]."""
        return REPETITIONS * self._posture.period_s / self._settings.tempo

    def at(self, time_s: float) -> MotionSample:
        """Return the pose at a time from 0 on [s]; no exercise is labelled."""
        return MotionSample(self.parameters(self._pose(time_s), time_s), "none", float("nan"), 0, {})

    def parameters(self, pose: FreePose, time_s: float | None, *, mirrored: bool = False) -> BodyParameters:
        """Return the body in a pose on its surface.

        Args:
            pose: The pose before limbs are brought to the surface.
            time_s: Time of breath and sway [s]; None: without them.
            mirrored: Exchange left and right.
        """
        if time_s is not None:
            pose = self._with_breath(pose, time_s)
        resting, centre_m = self._at_rest(pose), self._centre_m
        if mirrored:
            resting, centre_m = mirrored_body(resting, self._pelvis_m), centre_m * [-1.0, 1.0, 1.0]
        return moved(resting, self._pelvis_m, centre_m, self._turn, self._place_m)

    def _with_breath(self, pose: FreePose, time_s: float) -> FreePose:
        breath = np.array([BREATH_RAD * np.sin(2.0 * np.pi * BREATHS_HZ * time_s), 0.0, 0.0])
        sway = SWAY_RAD * self._settings.sway * np.sin(2.0 * np.pi * np.array([0.17, 0.23, 0.31]) * time_s)
        return replace(
            pose,
            spine_rad=pose.spine_rad + breath,
            neck_rad=pose.neck_rad + sway,
            arms=pose.arms @ matrices_from_axis_angles(sway).T,
        )

    def _pose(self, time_s: float) -> FreePose:
        phase = time_s * self._settings.tempo / self._posture.period_s % 1.0
        return self._script(phase)

    def _at_rest(self, pose: FreePose) -> BodyParameters:
        posture = self._posture
        _, parameters = rest_on(self._model, self._regions, self._betas, pose, posture.levels, base=posture.base)
        return parameters


def resting_lift(
    settings: SimulationSettings, phase: NDArray[np.float64], size: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how far a movement on a surface has gone at phases and sizes (T); negative: on the right side."""
    if RESTING_EXERCISES[settings.exercise].two_sided:
        swing = side_to_side(phase, 1.0, settings.asymmetry) * size
    else:
        swing = one_sided(phase) * size
    return np.asarray(np.clip(swing, -MAX_AMPLITUDE, MAX_AMPLITUDE))


class RestingExerciseMotion:
    """A body that does an exercise on a surface, with truth; the middle of its outline at rest stays at the origin."""

    def __init__(self, model: BodyModel, betas: NDArray[np.float64], settings: SimulationSettings) -> None:
        self._label, self._settings = settings.exercise, settings
        self._exercise = RESTING_EXERCISES[self._label]
        self._body = PostureMotion(model, betas, self._exercise.posture, settings)
        self._plan = motion_plan(settings)
        self._timing = repetition_timing(self._label, settings)

    @property
    def length_s(self) -> float:
        """Time after which the plan repeats [s]."""
        return self._plan[-1].end_s

    @property
    def plan(self) -> tuple[Segment, ...]:
        """The segments in order of time."""
        return self._plan

    def at(self, time_s: float) -> MotionSample:
        """Return pose and label at a time from 0 on [s]."""
        now = time_s % self.length_s
        segment = next(entry for entry in self._plan if now < entry.end_s)
        phase, size, repetitions = segment.moment(self._timing, now)
        place = phase if np.isfinite(phase) else self._timing.end
        lift = float(resting_lift(self._settings, np.asarray(place), np.asarray(size)))
        return MotionSample(self.parameters(lift, time_s), segment.label, phase, repetitions, {})

    def parameters(self, lift: float, time_s: float | None = None) -> BodyParameters:
        """Return the body when the movement has gone so far; None as time [s]: without breath and sway."""
        side = "right" if self._settings.side == "right" else "left"
        other = self._exercise.one_limb and side != self._exercise.scripted_side
        return self._body.parameters(
            self._exercise.pose(abs(lift)), time_s, mirrored=other or (self._exercise.two_sided and lift < 0.0)
        )


class SeatedMotion:
    """A person on a chair who stands up and sits down again, or who works at a table."""

    def __init__(
        self, model: BodyModel, betas: NDArray[np.float64], posture: Posture, settings: SimulationSettings
    ) -> None:
        self._stance = SeatedStance(model, betas, heading_rad=subject_heading_rad(settings))
        self._posture, self._settings = posture, settings

    @property
    def length_s(self) -> float:
        """Time after which the movement repeats [s]."""
        return REPETITIONS * self._posture.period_s / self._settings.tempo

    def at(self, time_s: float) -> MotionSample:
        """Return the pose at a time from 0 on [s]; no exercise is labelled."""
        phase = time_s * self._settings.tempo / self._posture.period_s % 1.0
        breath = BREATH_RAD * np.sin(2.0 * np.pi * BREATHS_HZ * time_s)
        return MotionSample(self._stance.parameters(self._pose(phase, float(breath))), "none", float("nan"), 0, {})

    def _pose(self, phase: float, breath_rad: float) -> ScriptedPose:
        """Return the pose at a phase (0-1): seated at 0; in the middle standing, or with the hands moved apart."""
        if self._posture.seated == "table":
            spread = 0.3 * np.sin(2.0 * np.pi * phase)
            arms = ON_TABLE + mirrored(((0.3 * max(spread, 0.0), 0.0, 0.0), (spread, 0.0, 0.0)))
            return self._sitting(0.0, 0.04 + breath_rad, arms)
        rise = smoothstep(float(np.clip(4.0 * (0.5 - abs(phase - 0.5)) - 0.8, 0.0, 1.0)))
        lean = 0.05 + 0.65 * 4.0 * rise * (1.0 - rise) + breath_rad
        return self._sitting(rise, lean, (1.0 - rise) * ON_THIGHS + rise * mirrored(HANGING))

    def _sitting(self, rise: float, lean_rad: float, arms: NDArray[np.float64]) -> ScriptedPose:
        """Return the pose between sitting (0) and standing (1) with the trunk leaning to the front."""
        return ScriptedPose(
            seated=1.0 - rise,
            pelvis_rad=np.array([0.6 * lean_rad, 0.0, 0.0]),
            spine_rad=np.array([0.4 * lean_rad, 0.0, 0.0]),
            neck_rad=np.array([-0.5 * lean_rad, 0.0, 0.0]),
            arms=arms,
        )
