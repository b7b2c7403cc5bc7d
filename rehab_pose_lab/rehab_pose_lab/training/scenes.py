"""Rendered training samples with ground truth: rooms with people for the silhouette, single people for the joints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.drawing.rasteriser import render_person, vertex_normals
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles
from rehab_pose.joints.crop import DEPTH_SCALE_M, PersonCrop, crop_box
from rehab_pose.silhouette.depth_encoding import INPUT_HEIGHT_PX, INPUT_WIDTH_PX
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.random_depth_noise import add_random_depth_errors, add_random_outline_errors
from rehab_pose_sim.random_rooms import random_furniture_depth_m, random_room_depth_m, random_table_depth_m
from rehab_pose_sim.rays import WorldCamera

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.training.random_poses import PoseSampler

__all__ = ["JointSample", "SceneSampler", "SilhouetteSample", "crop_targets"]

SEAT_HEIGHT_M = 0.45
"""Height of the seat under a seated person [m]."""
JOINT_IMAGE_PX = (256, 212)
"""Width and height of the rendered images of joint samples [px]: about the resolution of the network's crop."""
OCCLUDER_FRACTION = 0.3
"""Fraction of the joint samples with furniture that may hide a part of the person."""
TABLE_FRACTION = 0.3
"""Fraction of the occluders that are a table in front of the person, which hides the legs."""
MAX_HIDDEN_FRACTION = 0.5
"""Largest fraction of the people's pixels that furniture may hide."""
MIN_PERSON_PX = 400
"""Joint samples with fewer pixels of the person are drawn again."""
DRESSED_FRACTION, MAX_CLOTH_M = 0.7, 0.035
"""Fraction of people in loose clothes, and the maximum distance of the clothes from the skin [m]."""
FOCAL_PX = 154.0
"""Mean focal length for an image as wide as the silhouette network's input [px]."""
COVERED_JOINTS = (
    *("pelvis", "spine1", "spine2", "spine3", "left_collar", "right_collar"),
    *("left_shoulder", "right_shoulder", "left_hip", "right_hip"),
)
"""Joints whose surface is covered by loose clothes."""
TURNED_FRACTION, MAX_TURNED_RAD = 0.4, 1.25
"""Fraction of people turned by any angle up to this one [rad]; the others roughly face the camera."""


def crop_targets(
    crop: PersonCrop, points_m: NDArray[np.float64], intrinsics: CameraIntrinsics
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions in the crop as fractions (J, 2) and relative depths (J) of camera points (J, 3) [m].

    This is the inverse of `PersonCrop.points_m`.
    """
    pixels = intrinsics.project(points_m)
    offsets = (pixels + 0.5 - crop.centre_px) / crop.side_px
    fractions = offsets @ np.stack([crop.right, crop.down], axis=1) + 0.5
    return fractions, (points_m[:, 2] - crop.centre_depth_m) / DEPTH_SCALE_M


@dataclass(frozen=True, eq=False)
class PlacedPerson:
    """The surface and the joints of a person in the world."""

    vertices_m: NDArray[np.float64]
    """(V, 3) [m]."""
    joints_m: NDArray[np.float64]
    """(24, 3) [m]."""
    seated: bool


@dataclass(frozen=True, eq=False)
class SilhouetteSample:
    """An input of the silhouette network and its target."""

    depth_m: NDArray[np.float32]
    """(128, 160) with a camera's errors [m], NaN = no return."""
    people: NDArray[np.bool_]
    """(128, 160) True on people."""
    height_of_depth: NDArray[np.float64]
    """(4) a, b, c, d: a return at column u, row v and depth z is z (a u + b v + c) + d above the floor [m]."""


@dataclass(frozen=True, eq=False)
class JointSample:
    """An input of the joint network and its target."""

    crop: PersonCrop
    fractions: NDArray[np.float64]
    """(24, 2) u, v as fractions of the crop's sides."""
    relative_depth: NDArray[np.float64]
    """(24) in units of the crop's depth scale."""


class SceneSampler:
    """Generates random scenes from a seeded generator."""

    def __init__(self, random: np.random.Generator, model: BodyModel, poses: PoseSampler) -> None:
        self._random = random
        self._model = model
        self._poses = poses
        covered = [SMPL_24.index(name) for name in COVERED_JOINTS]
        self._covered = model.weights[:, covered].sum(axis=1).astype(np.float64)

    def silhouette_sample(self) -> SilhouetteSample:
        """Return a depth image of a room with a camera's errors, and the mask of the people in it."""
        random = self._random
        camera = self._camera(
            INPUT_WIDTH_PX, INPUT_HEIGHT_PX, distance_m=random.uniform(1.1, 4.6), centred=random.random() < 0.5
        )
        feet = np.zeros(3)
        depth = random_room_depth_m(camera, feet, random)
        people = np.zeros(depth.shape, dtype=np.bool_)
        count = random.choice((0, 1, 2, 3), p=(0.06, 0.6, 0.27, 0.07))
        seat = None
        for index in range(count):
            person = self._person(feet if index == 0 else self._place_next_to(feet))
            seat = SEAT_HEIGHT_M if person.seated and index == 0 else seat
            rendered = self._render(person.vertices_m, camera)
            nearer = rendered < depth
            depth[nearer] = rendered[nearer]
            people |= nearer
        furniture = random_furniture_depth_m(camera, feet, random, seat_height_m=seat)
        if seat is None and random.random() < OCCLUDER_FRACTION * TABLE_FRACTION:
            furniture = np.minimum(furniture, random_table_depth_m(camera, feet, random))
        # Furniture may hide a part of the people, but not most of them: otherwise it is kept behind them.
        hides = furniture < depth
        if people.any() and np.count_nonzero(hides & people) < MAX_HIDDEN_FRACTION * np.count_nonzero(people):
            depth[hides] = furniture[hides]
            people &= ~hides
        else:
            depth[hides & ~people] = furniture[hides & ~people]
        return SilhouetteSample(add_random_depth_errors(depth, random), people, camera.height_of_depth())

    def joint_sample(self) -> JointSample:
        """Return one person crop with its joints; crops that show too little of the person are drawn again."""
        while True:
            sample = self._try_joint_sample()
            if sample is not None:
                return sample

    def _try_joint_sample(self) -> JointSample | None:
        random = self._random
        width, height = JOINT_IMAGE_PX
        camera = self._camera(width, height, distance_m=random.uniform(1.3, 4.0), centred=random.random() < 0.85)
        person = self._person(np.zeros(3))
        rendered = self._render(person.vertices_m, camera)
        person_pixels = np.isfinite(rendered)
        if np.count_nonzero(person_pixels) < MIN_PERSON_PX:
            return None
        depth = np.where(person_pixels, rendered, random_room_depth_m(camera, np.zeros(3), random))
        inside = person_pixels.copy()
        if random.random() < OCCLUDER_FRACTION:
            if random.random() < TABLE_FRACTION:
                furniture, max_hidden = random_table_depth_m(camera, np.zeros(3), random), 0.65
            else:
                furniture, max_hidden = random_furniture_depth_m(camera, np.zeros(3), random, seat_height_m=None), 0.4
            hides = furniture < depth
            if np.count_nonzero(hides & inside) < max_hidden * np.count_nonzero(inside):
                depth = np.minimum(depth, furniture)
                inside &= ~hides
        depth = add_random_depth_errors(depth, random)
        inside = add_random_outline_errors(inside, random)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
        if count < 2:
            return None
        inside = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        box = (int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)
        x, y, box_width, box_height = box
        cut = np.where(inside, depth, np.float32(np.nan))[y : y + box_height, x : x + box_width]
        if np.count_nonzero(np.isfinite(cut)) < MIN_PERSON_PX:
            return None
        crop = crop_box(cut, box, camera.intrinsics)
        if crop is None:
            return None
        fractions, relative_depth = crop_targets(crop, camera.in_camera(person.joints_m), camera.intrinsics)
        if not np.isfinite(fractions).all():
            return None
        return JointSample(crop, fractions, relative_depth)

    def _camera(self, width_px: int, height_px: int, *, distance_m: float, centred: bool) -> WorldCamera:
        """Return a camera that looks at a person at the origin, from about the front."""
        random = self._random
        focal = random.uniform(0.8, 1.25) * FOCAL_PX * width_px / INPUT_WIDTH_PX
        intrinsics = CameraIntrinsics(
            width_px,
            height_px,
            focal,
            focal,
            width_px / 2.0 + random.normal(0.0, 2.0),
            height_px / 2.0 + random.normal(0.0, 2.0),
        )
        yaw = random.normal(0.0, 0.45)
        eye = np.array([np.sin(yaw) * distance_m, random.uniform(0.6, 2.0), np.cos(yaw) * distance_m])
        sideways_std = 0.1 if centred else 0.55
        target = np.array(
            [random.normal(0.0, sideways_std) * distance_m / 2.5, random.normal(0.95, 0.15 if centred else 0.35), 0.0]
        )
        forward = target - eye
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 1.0, 0.0])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, -np.cross(right, forward), forward])
        rotation = matrices_from_axis_angles(np.array([0.0, 0.0, random.normal(0.0, 0.03)])) @ rotation
        return WorldCamera(intrinsics, rotation, eye)

    def _place_next_to(self, feet_m: NDArray[np.float64]) -> NDArray[np.float64]:
        random = self._random
        sideways = random.choice((-1.0, 1.0)) * random.uniform(0.5, 1.6)
        place: NDArray[np.float64] = feet_m + np.array([sideways, 0.0, random.normal(-0.3, 0.7)])
        return place

    def _person(self, feet_m: NDArray[np.float64]) -> PlacedPerson:
        """Return a random person whose lowest point is on the floor, at a place (3) [m]."""
        random = self._random
        pose = self._poses.sample()
        turned = random.random() < TURNED_FRACTION
        heading = random.uniform(-MAX_TURNED_RAD, MAX_TURNED_RAD) if turned else random.normal(0.0, 0.45)
        yaw = matrices_from_axis_angles(np.array([0.0, heading, 0.0]))
        rotations = pose.rotations_rad.copy()
        rotations[0] = axis_angles_from_matrices(yaw @ matrices_from_axis_angles(rotations[0]))
        betas = np.clip(random.normal(0.0, 1.0, self._model.shapedirs.shape[2]), -2.5, 2.5)
        parameters = BodyParameters(betas=betas, rotations_rad=rotations, translation_m=np.zeros(3))
        vertices = pose_vertices(self._model, parameters).astype(np.float64)
        joints, _ = pose_joints(self._model, parameters)
        shift = np.array([feet_m[0] - joints[0, 0], -vertices[:, 1].min(), feet_m[2] - joints[0, 2]])
        vertices = self._dressed(vertices)
        return PlacedPerson(vertices + shift, joints + shift, pose.seated)

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

    def _render(self, vertices_m: NDArray[np.float64], camera: WorldCamera) -> NDArray[np.float32]:
        """Return depth (H, W) [m], infinity outside the person."""
        depth, _ = render_person(self._model, camera.in_camera(vertices_m).astype(np.float32), camera.intrinsics)
        return np.where(np.isfinite(depth), depth, np.float32(np.inf))
