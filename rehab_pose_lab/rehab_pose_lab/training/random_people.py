"""Random people in the world for training samples: their shape, posture, clothes, place and the surface under them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.drawing.rasteriser import vertex_normals
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.free_pose import BodyRegions, about, rest_on
from rehab_pose_sim.postures import POSTURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.training.random_poses import PoseSampler
    from rehab_pose_sim.free_pose import FreePose

__all__ = ["PersonSampler", "PlacedPerson"]

SEAT_HEIGHT_M = 0.45
"""Height of the seat under a seated person [m]."""
DRESSED_FRACTION, MAX_CLOTH_M = 0.75, 0.045
"""Fraction of people in loose clothes, and the maximum distance of the clothes from the skin [m]."""
COVERED_JOINTS = (
    *("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"),
    *("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
)
"""Joints whose surface is covered by loose clothes."""
LESS_COVERED_JOINTS, LESS_COVERED = ("left_elbow", "right_elbow", "left_knee", "right_knee"), 0.6
"""Joints whose clothes are closer to the skin, and the fraction of the distance: forearms and shanks."""
FRONTAL_FRACTION, TURNED_FRACTION, MAX_TURNED_RAD = 0.4, 0.25, 1.25
"""Fractions of the standing people who roughly face the camera, and who are turned up to the angle [rad]; the others
are turned by any angle."""
POSTURE_SHARES = {
    "supine": 1.0, "prone": 1.0, "side_lying": 1.3, "crook_lying": 1.2, "bridge": 1.1, "all_fours": 1.6,
    "bird_dog": 1.2, "kneeling": 1.2, "half_kneeling": 1.2, "long_sitting": 1.2, "one_foot": 0.6, "arms_crossed": 0.8,
}  # fmt: skip
"""Relative frequencies of the postures."""
LYING = ("supine", "prone", "side_lying")
UPRIGHT = ("one_foot", "arms_crossed")
ON_HANDS = ("all_fours", "bird_dog")
LEVELLED_FRACTION, LEVEL_ROUNDS = 0.85, 4
"""Fraction of the people whose limbs are turned to the surface; the others hold them free. And rounds of that."""
FREE_ARMS_FRACTION, FREE_LEGS_FRACTION = 0.35, 0.2
"""Fractions of the people with any direction of the arms, and of the lying ones with any flexion of the legs."""
ROOT_STD_RAD, SPINE_STD_RAD, NECK_STD_RAD, ARM_STD = 0.08, 0.12, 0.2, 0.2
HIP_STD_RAD, KNEE_STD_RAD, ANKLE_STD_RAD = (0.15, 0.08, 0.12), 0.15, 0.2
"""Standard deviations of the variation of a posture [rad]; of the arms' directions, which have length 1."""
RAISED_FRACTION_LYING, RAISED_FRACTION = 0.55, 0.1
"""Fractions of the people on a couch or a bed: of those who lie, and of those who kneel or are on all fours."""
SUPPORT_HEIGHT_M, SUPPORT_WIDTH_M, SUPPORT_LENGTH_M = (0.25, 0.85), (0.6, 1.6), (1.8, 2.2)
"""Ranges of the height, width and length of couches and beds [m]."""
ON_LEGS_FRACTION = 0.5
"""Fraction of the couches and beds that stand on legs."""
MAT_FRACTION = 0.5
"""Fraction of the people on the floor who have a mat under them."""


@dataclass(frozen=True, eq=False)
class Support:
    """A box under a person who lies or kneels."""

    middle_m: NDArray[np.float64]
    """(3) middle of its underside [m]."""
    size_m: tuple[float, float, float]
    """Width, height, length [m]."""
    yaw_rad: float
    on_legs: bool = False
    """A cushion on two legs, as a treatment couch, and not solid down to the floor."""


@dataclass(frozen=True, eq=False)
class PlacedPerson:
    """The surface and the joints of a person in the world."""

    vertices_m: NDArray[np.float64]
    """(V, 3) [m]."""
    joints_m: NDArray[np.float64]
    """(24, 3) [m]."""
    seated: bool
    support: Support | None = None

    @property
    def middle_m(self) -> float:
        """Height of the middle of the body [m]."""
        return float(0.5 * (self.vertices_m[:, 1].min() + self.vertices_m[:, 1].max()))


class PersonSampler:
    """Generates random people from a seeded generator."""

    def __init__(self, random: np.random.Generator, model: BodyModel, poses: PoseSampler) -> None:
        """Set the sources.

        Args:
            random: Seeded generator.
            model: The body.
            poses: Poses of people who stand and sit.
        """
        self._random = random
        self._model = model
        self._poses = poses
        self._regions = BodyRegions(model)
        covered = [SMPL_24.index(name) for name in COVERED_JOINTS]
        less = [SMPL_24.index(name) for name in LESS_COVERED_JOINTS]
        weights = model.weights[:, covered].sum(axis=1) + LESS_COVERED * model.weights[:, less].sum(axis=1)
        self._covered = weights.astype(np.float64)
        shares = np.array(list(POSTURE_SHARES.values()))
        self._names, self._shares = tuple(POSTURE_SHARES), shares / shares.sum()

    def sample(self, feet_m: NDArray[np.float64], *, posture: bool) -> PlacedPerson:
        """Return a random person at a place (3) [m] of the floor.

        Args:
            feet_m: The point under the pelvis.
            posture: One of the postures of rehabilitation; otherwise a pose of the pose sampler.
        """
        betas = np.clip(self._random.normal(0.0, 1.0, self._model.shape_count), -2.5, 2.5)
        return self._in_posture(feet_m, betas) if posture else self._standing_or_seated(feet_m, betas)

    def _standing_or_seated(self, feet_m: NDArray[np.float64], betas: NDArray[np.float64]) -> PlacedPerson:
        random = self._random
        pose = self._poses.sample()
        chance = random.random()
        if chance < FRONTAL_FRACTION:
            heading = random.normal(0.0, 0.45)
        elif chance < FRONTAL_FRACTION + TURNED_FRACTION:
            heading = random.uniform(-MAX_TURNED_RAD, MAX_TURNED_RAD)
        else:
            heading = random.uniform(-np.pi, np.pi)
        rotations = pose.rotations_rad.copy()
        rotations[0] = axis_angles_from_matrices(about(1, heading) @ matrices_from_axis_angles(rotations[0]))
        parameters = BodyParameters(betas=betas, rotations_rad=rotations, translation_m=np.zeros(3))
        vertices, joints = self._surface(parameters)
        shift = np.array([feet_m[0] - joints[0, 0], -vertices[:, 1].min(), feet_m[2] - joints[0, 2]])
        return PlacedPerson(self._dressed(vertices) + shift, joints + shift, pose.seated)

    def _in_posture(self, feet_m: NDArray[np.float64], betas: NDArray[np.float64]) -> PlacedPerson:
        random = self._random
        name = str(random.choice(self._names, p=self._shares))
        posture = POSTURES[name]
        script = posture.pose
        if script is None:
            msg = f"posture {name} has no pose"
            raise ValueError(msg)
        pose = self._varied(name, script(float(random.random())))
        levels = posture.levels if random.random() < LEVELLED_FRACTION else ()
        _, parameters = rest_on(self._model, self._regions, betas, pose, levels, base=posture.base, rounds=LEVEL_ROUNDS)
        vertices, joints = self._surface(parameters)
        heading = random.uniform(-np.pi, np.pi)
        turn = about(1, heading).T
        vertices, joints = vertices @ turn, joints @ turn
        support = self._support(name, feet_m, heading)
        lift = 0.0 if support is None else support.size_m[1]
        middle = 0.5 * (vertices.min(axis=0) + vertices.max(axis=0))
        shift = feet_m - middle * [1.0, 0.0, 1.0] + [0.0, lift, 0.0]
        return PlacedPerson(self._dressed(vertices) + shift, joints + shift, seated=False, support=support)

    def _varied(self, name: str, pose: FreePose) -> FreePose:
        """Return a pose with random differences from the posture's own."""
        random = self._random
        arms, hands = pose.arms + random.normal(0.0, ARM_STD, (2, 2, 3)), pose.hands
        hips = pose.hips_rad + random.normal(0.0, HIP_STD_RAD, (2, 3))
        knees = pose.knees_rad + random.normal(0.0, KNEE_STD_RAD, 2)
        if name not in ON_HANDS and random.random() < FREE_ARMS_FRACTION:
            arms = self._poses.arm_directions()
        if name in LYING and random.random() < FREE_LEGS_FRACTION:
            hips[:, 0] += random.uniform(0.0, 1.6, 2) * (-0.2 if name == "prone" else 1.0)
            knees += random.uniform(0.0, 1.8, 2)
        return replace(
            pose,
            root=pose.root @ matrices_from_axis_angles(random.normal(0.0, ROOT_STD_RAD, 3)),
            spine_rad=pose.spine_rad + random.normal(0.0, SPINE_STD_RAD, 3),
            neck_rad=pose.neck_rad + random.normal(0.0, NECK_STD_RAD, 3),
            arms=arms,
            hands=hands,
            hips_rad=hips,
            knees_rad=np.abs(knees),
            ankles_rad=pose.ankles_rad + random.normal(0.0, ANKLE_STD_RAD, 2),
        )

    def _support(self, name: str, feet_m: NDArray[np.float64], heading_rad: float) -> Support | None:
        """Return the couch, bed or mat under a person in a posture; None: the floor."""
        random = self._random
        raised = RAISED_FRACTION_LYING if name in (*LYING, "crook_lying", "bridge") else RAISED_FRACTION
        yaw = heading_rad + (np.pi / 2.0 if name == "side_lying" else 0.0) + random.normal(0.0, 0.06)
        width, length = float(random.uniform(*SUPPORT_WIDTH_M)), float(random.uniform(*SUPPORT_LENGTH_M))
        if name in UPRIGHT:
            return None
        if random.random() < raised:
            height = float(random.uniform(*SUPPORT_HEIGHT_M))
            return Support(feet_m, (width, height, length), yaw, on_legs=bool(random.random() < ON_LEGS_FRACTION))
        if random.random() < MAT_FRACTION:
            return Support(feet_m, (width, float(random.uniform(0.005, 0.06)), length), yaw)
        return None

    def _surface(self, parameters: BodyParameters) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return vertices (V, 3) and joints (24, 3) [m]."""
        joints, _ = pose_joints(self._model, parameters)
        return pose_vertices(self._model, parameters).astype(np.float64), joints

    def _dressed(self, vertices_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the surface (V, 3) [m] moved outwards by clothes in smooth folds over trunk, arms and thighs."""
        random = self._random
        looseness_m = random.uniform(0.0, MAX_CLOTH_M) if random.random() < DRESSED_FRACTION else 0.0
        if looseness_m == 0.0:
            return vertices_m
        waves = vertices_m @ random.normal(0.0, 12.0, (3, 3)) + random.uniform(0.0, 2.0 * np.pi, 3)
        folds = 0.6 + 0.4 * np.sin(waves).mean(axis=1)
        normals = vertex_normals(vertices_m.astype(np.float32), self._model.faces)
        dressed: NDArray[np.float64] = vertices_m + (looseness_m * folds * self._covered)[:, None] * normals
        return dressed
