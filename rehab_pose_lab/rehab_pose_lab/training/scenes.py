"""Rendered training samples with ground truth: rooms with people for the silhouette, single people for the joints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.drawing.rasteriser import render_person
from rehab_pose.joints.crop import DEPTH_SCALE_M, PersonCrop, crop_box
from rehab_pose.silhouette.depth_encoding import INPUT_HEIGHT_PX, INPUT_WIDTH_PX
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.training.random_cameras import View, random_camera, up_with_errors
from rehab_pose_lab.training.random_people import SEAT_HEIGHT_M, PersonSampler
from rehab_pose_lab.training.random_poses import PoseSampler
from rehab_pose_sim.random_depth_noise import add_random_depth_errors, add_random_outline_errors
from rehab_pose_sim.random_mask_errors import add_real_mask_errors
from rehab_pose_sim.random_rooms import (
    box_depth_m,
    random_furniture_depth_m,
    random_room_depth_m,
    random_table_depth_m,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose_lab.training.random_people import PlacedPerson, Support
    from rehab_pose_sim.rays import WorldCamera

__all__ = [
    "JointSample",
    "SceneSampler",
    "SceneSource",
    "SilhouetteSample",
    "crop_targets",
    "crop_with_mask_errors",
    "ends_px",
]

JOINT_IMAGE_PX = (256, 212)
"""Width and height of the rendered images of joint samples [px]: about the resolution of the network's crop."""
FAR_IMAGE_SCALE, FAR_M = 1.6, 2.8
"""People farther than this [m] are rendered in larger images, so that they have about as many pixels as real ones."""
POSTURE_FRACTION = 0.5
"""Fraction of the samples whose person is in one of the postures of rehabilitation."""
OCCLUDER_FRACTION = 0.3
"""Fraction of the joint samples with furniture that may hide a part of the person."""
TABLE_FRACTION, SEATED_TABLE_FRACTION = 0.3, 0.6
"""Fraction of the occluders that are a table, which hides the legs; of those in front of seated people."""
MAX_HIDDEN_FRACTION = 0.5
"""Largest fraction of the people's pixels that furniture may hide."""
MIN_PERSON_PX = 400
"""Joint samples with fewer pixels of the person are drawn again."""
NEAREST_M, FARTHEST_M = 0.8, 5.0
"""Range of the distance of the camera from the person [m]."""
LEVEL_STD_RAD, SLANTED_RAD = 0.03, 0.8
"""Roll of cameras that stand level: standard deviation; of cameras held by hand or turned by an arm: limit [rad]."""
ANY_ROLL_FRACTION, SLANTED_FRACTION, UNKNOWN_UP_FRACTION = 0.15, 0.25, 0.06
"""Fractions of the joint samples from cameras with any roll; of the silhouette samples with a slanted camera; and of
the joint samples without a known direction of gravity."""
GHOST_FRACTION, GLASS_FRACTION = 0.08, 0.1
"""Fractions of the silhouette samples with a flat figure of a person (a reflection, a screen, a poster), and with a
pane that gives no return."""
CUSHION_M = (0.04, 0.2)
"""Range of the thickness of a couch's cushion [m]."""
WHOLE_FRACTION = 0.5
"""Fraction of the joint samples that keep only the largest connected piece of the silhouette."""
MIN_PIECE_PX = 12
"""Smaller pieces of a silhouette are left out."""
HEAD, HANDS, FEET = (
    [SMPL_24.index(name) for name in names]
    for names in (("head",), ("left_hand", "right_hand"), ("left_foot", "right_foot"))
)
HAIR_ABOVE_HEAD_JOINT_M = 0.14
"""Distance of the hair from the head joint, along the line from the neck [m]."""


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


def crop_with_mask_errors(
    inside: NDArray[np.bool_],
    depth_m: NDArray[np.float32],
    intrinsics: CameraIntrinsics,
    up: NDArray[np.float64] | None,
    random: np.random.Generator,
) -> PersonCrop | None:
    """Return the crop of the pieces of a silhouette that a segmenter would keep; None if too little is left.

    Args:
        inside: (H, W) the silhouette.
        depth_m: (H, W) [m], NaN = no return.
        intrinsics: The camera.
        up: (3) direction against gravity; None: unknown.
        random: Seeded generator.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    if count < 2:
        return None
    sizes = stats[1:, cv2.CC_STAT_AREA]
    if random.random() < WHOLE_FRACTION:
        inside = labels == 1 + int(np.argmax(sizes))
    else:
        inside = np.isin(labels, 1 + np.flatnonzero(sizes >= MIN_PIECE_PX))
    x, y, width, height = cv2.boundingRect(inside.astype(np.uint8))
    cut = np.where(inside, depth_m, np.float32(np.nan))[y : y + height, x : x + width]
    if np.count_nonzero(np.isfinite(cut)) < MIN_PERSON_PX:
        return None
    return crop_box(np.ascontiguousarray(cut), (x, y, width, height), intrinsics, up)


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


@dataclass(frozen=True, eq=False)
class SceneSource:
    """The sources of rendered samples; a subclass makes samples of one kind from a generator."""

    library_rad: NDArray[np.float64] | None
    """(N, 24, 3) poses of recorded people [rad]; None: only drawn poses."""
    posture_fraction: float = POSTURE_FRACTION
    """Fraction of the people in the postures of rehabilitation."""

    def scenes(self, random: np.random.Generator) -> SceneSampler:
        """Return the scenes of a generator."""
        poses = PoseSampler(random, self.library_rad)
        return SceneSampler(random, load_body_model(), poses, posture_fraction=self.posture_fraction)


class SceneSampler:
    """Generates random scenes from a seeded generator."""

    def __init__(
        self,
        random: np.random.Generator,
        model: BodyModel,
        poses: PoseSampler,
        *,
        posture_fraction: float = POSTURE_FRACTION,
    ) -> None:
        """Set the sources.

        Args:
            random: Seeded generator.
            model: The body.
            poses: Poses of people who stand and sit.
            posture_fraction: Fraction of the people in the postures of rehabilitation.
        """
        self._random = random
        self._model = model
        self._people = PersonSampler(random, model, poses)
        self._posture_fraction = posture_fraction

    def silhouette_sample(self) -> SilhouetteSample:
        """Return a depth image of a room with a camera's errors, and the mask of the people in it."""
        random = self._random
        feet = np.zeros(3)
        count = random.choice((0, 1, 2, 3), p=(0.06, 0.6, 0.27, 0.07))
        people = [self._person(feet if index == 0 else self._place_next_to(feet)) for index in range(count)]
        slanted = random.random() < SLANTED_FRACTION
        view = View(
            INPUT_WIDTH_PX,
            INPUT_HEIGHT_PX,
            self._distance_m(),
            self._aim_m(people[0] if people else None),
            random.random() < 0.5,
            random.uniform(-SLANTED_RAD, SLANTED_RAD) if slanted else random.normal(0.0, LEVEL_STD_RAD),
        )
        camera = random_camera(view, random)
        depth = random_room_depth_m(camera, feet, random)
        if random.random() < GHOST_FRACTION:
            self._add_ghost(depth, camera, feet)
        mask = np.zeros(depth.shape, dtype=np.bool_)
        seat = None
        for index, person in enumerate(people):
            seat = SEAT_HEIGHT_M if person.seated and index == 0 else seat
            self._add_support(depth, mask, person, camera)
            rendered = self._render(person.vertices_m, camera)
            nearer = rendered < depth
            depth[nearer] = rendered[nearer]
            mask |= nearer
        furniture = random_furniture_depth_m(camera, feet, random, seat_height_m=seat)
        if random.random() < (SEATED_TABLE_FRACTION if seat else OCCLUDER_FRACTION) * TABLE_FRACTION:
            furniture = np.minimum(furniture, random_table_depth_m(camera, feet, random))
        # Furniture may hide a part of the people, but not most of them: otherwise it is kept behind them.
        hides = furniture < depth
        if mask.any() and np.count_nonzero(hides & mask) < MAX_HIDDEN_FRACTION * np.count_nonzero(mask):
            depth[hides] = furniture[hides]
            mask &= ~hides
        else:
            depth[hides & ~mask] = furniture[hides & ~mask]
        noisy = add_random_depth_errors(depth, random)
        if random.random() < GLASS_FRACTION:
            self._add_glass(noisy, mask)
        return SilhouetteSample(noisy, mask, camera.height_of_depth())

    def joint_sample(self) -> JointSample:
        """Return one person crop with its joints; crops that show too little of the person are drawn again."""
        while True:
            sample = self._try_joint_sample()
            if sample is not None:
                return sample

    def _try_joint_sample(self) -> JointSample | None:
        random = self._random
        person = self._person(np.zeros(3))
        camera, up = self._joint_camera(person)
        rendered = self._render(person.vertices_m, camera)
        inside = np.isfinite(rendered)
        if np.count_nonzero(inside) < MIN_PERSON_PX:
            return None
        depth = np.where(inside, rendered, random_room_depth_m(camera, np.zeros(3), random))
        self._add_support(depth, inside, person, camera)
        if random.random() < OCCLUDER_FRACTION:
            self._add_occluder(depth, inside, person, camera)
        depth = add_random_depth_errors(depth, random)
        joints = camera.in_camera(person.joints_m)
        inside = add_random_outline_errors(inside, random)
        inside = add_real_mask_errors(inside, depth, ends_px(joints, camera.intrinsics), random)
        crop = crop_with_mask_errors(inside, depth, camera.intrinsics, up, random)
        if crop is None or (joints[:, 2] < 0.1).any():
            return None
        fractions, relative_depth = crop_targets(crop, joints, camera.intrinsics)
        if not np.isfinite(fractions).all():
            return None
        return JointSample(crop, fractions, relative_depth)

    def _joint_camera(self, person: PlacedPerson) -> tuple[WorldCamera, NDArray[np.float64] | None]:
        """Return a camera for a joint sample, and the direction up (3) as it is known."""
        random = self._random
        distance_m = self._distance_m()
        unknown_up = random.random() < UNKNOWN_UP_FRACTION
        any_roll = not unknown_up and random.random() < ANY_ROLL_FRACTION
        width, height = (round(FAR_IMAGE_SCALE * side if distance_m > FAR_M else side) for side in JOINT_IMAGE_PX)
        view = View(
            width,
            height,
            distance_m,
            self._aim_m(person, distance_m),
            random.random() < 0.8,
            random.uniform(-np.pi, np.pi) if any_roll else random.normal(0.0, 4.0 * LEVEL_STD_RAD),
        )
        camera = random_camera(view, random)
        return camera, None if unknown_up else up_with_errors(camera.rotation[:, 1], random)

    def _distance_m(self) -> float:
        """Return a distance of the camera: mostly 1.3 to 4 m."""
        random = self._random
        usual = random.random() < 0.6
        return float(random.uniform(1.3, 4.0) if usual else random.uniform(NEAREST_M, FARTHEST_M))

    def _aim_m(self, person: PlacedPerson | None, distance_m: float = FAR_M) -> float:
        """Return the height that the camera aims at [m]: near cameras see the upper body of standing people."""
        if person is None:
            return 0.95
        upper = distance_m < 1.7 and person.middle_m > 0.7 and self._random.random() < 0.6
        return person.middle_m + (float(self._random.uniform(0.1, 0.5)) if upper else 0.0)

    def _person(self, feet_m: NDArray[np.float64]) -> PlacedPerson:
        return self._people.sample(feet_m, posture=bool(self._random.random() < self._posture_fraction))

    def _place_next_to(self, feet_m: NDArray[np.float64]) -> NDArray[np.float64]:
        random = self._random
        sideways = random.choice((-1.0, 1.0)) * random.uniform(0.5, 1.6)
        place: NDArray[np.float64] = feet_m + np.array([sideways, 0.0, random.normal(-0.3, 0.7)])
        return place

    def _add_support(
        self, depth_m: NDArray[np.float32], inside: NDArray[np.bool_], person: PlacedPerson, camera: WorldCamera
    ) -> None:
        """Add the couch, bed or mat under a person to a depth image (H, W) [m]; it may hide people (H, W)."""
        support = person.support
        if support is None:
            return
        box = self._support_depth_m(support, camera)
        nearer = box < depth_m
        depth_m[nearer] = box[nearer]
        inside &= ~nearer

    def _support_depth_m(self, support: Support, camera: WorldCamera) -> NDArray[np.float32]:
        """Return the depth (H, W) of a solid box, or of a cushion on two legs [m]."""
        if not support.on_legs:
            return box_depth_m(camera, support.middle_m, support.size_m, support.yaw_rad)
        width, height, length = support.size_m
        thickness = float(self._random.uniform(*CUSHION_M))
        lifted = support.middle_m + np.array([0.0, height - thickness, 0.0])
        depth_m = box_depth_m(camera, lifted, (width, thickness, length), support.yaw_rad)
        along = np.array([np.sin(support.yaw_rad), 0.0, np.cos(support.yaw_rad)])
        leg = (
            float(self._random.uniform(0.05, 1.0)) * width,
            height - thickness,
            float(self._random.uniform(0.04, 0.12)),
        )
        apart_m = float(self._random.uniform(0.2, 0.48)) * length
        for sign in (-1.0, 1.0):
            place = support.middle_m + sign * apart_m * along
            depth_m = np.minimum(depth_m, box_depth_m(camera, place, leg, support.yaw_rad))
        return depth_m

    def _add_occluder(
        self, depth_m: NDArray[np.float32], inside: NDArray[np.bool_], person: PlacedPerson, camera: WorldCamera
    ) -> None:
        """Add furniture in front of a person unless it hides most of the person."""
        random = self._random
        place = np.zeros(3)
        if random.random() < (SEATED_TABLE_FRACTION if person.seated else TABLE_FRACTION):
            furniture, max_hidden = random_table_depth_m(camera, place, random), 0.65
        else:
            furniture, max_hidden = random_furniture_depth_m(camera, place, random, seat_height_m=None), 0.4
        hides = furniture < depth_m
        if np.count_nonzero(hides & inside) < max_hidden * np.count_nonzero(inside):
            depth_m[hides] = furniture[hides]
            inside &= ~hides

    def _add_ghost(self, depth_m: NDArray[np.float32], camera: WorldCamera, feet_m: NDArray[np.float64]) -> None:
        """Add a flat figure of a person to a room's depth (H, W) [m]: an outline without the relief of a body."""
        random = self._random
        ghost = self._people.sample(self._place_next_to(feet_m), posture=False)
        rendered = self._render(ghost.vertices_m, camera)
        inside = np.isfinite(rendered)
        if not inside.any():
            return
        rows, columns = np.mgrid[0 : depth_m.shape[0], 0 : depth_m.shape[1]]
        tilt = random.normal(0.0, 0.0015, 2)
        flat = np.median(rendered[inside]) * (1.0 + tilt[0] * (columns - 80) + tilt[1] * (rows - 64))
        ragged = add_random_outline_errors(inside, random) & (flat < depth_m)
        depth_m[ragged] = flat[ragged]

    def _add_glass(self, depth_m: NDArray[np.float32], mask: NDArray[np.bool_]) -> None:
        """Remove the returns of a random quadrangle behind the people from a depth image (H, W) [m]."""
        random = self._random
        corners = random.uniform(0.0, 1.0, (4, 2)) * [depth_m.shape[1], depth_m.shape[0]]
        pane = np.zeros(depth_m.shape, np.uint8)
        cv2.fillConvexPoly(pane, cv2.convexHull(corners.astype(np.int32)), 1)
        kept = random.random(depth_m.shape, dtype=np.float32) < random.choice((0.0, 0.1, 0.4))
        depth_m[(pane > 0) & ~mask & ~kept] = np.nan

    def _render(self, vertices_m: NDArray[np.float64], camera: WorldCamera) -> NDArray[np.float32]:
        """Return depth (H, W) [m], infinity outside the person."""
        depth, _ = render_person(self._model, camera.in_camera(vertices_m).astype(np.float32), camera.intrinsics)
        return np.where(np.isfinite(depth), depth, np.float32(np.inf))


def ends_px(joints_m: NDArray[np.float64], intrinsics: CameraIntrinsics) -> dict[str, NDArray[np.float64]]:
    """Return the places of head, hands and feet in the image (N, 2) [px] for joints (24, 3) [m]."""
    neck, head = joints_m[SMPL_24.index("neck")], joints_m[HEAD[0]]
    along = (head - neck) / max(float(np.linalg.norm(head - neck)), 1e-6)
    hair = (head + HAIR_ABOVE_HEAD_JOINT_M * along)[None]
    return {
        "head": intrinsics.project(hair),
        "hand": intrinsics.project(joints_m[HANDS]),
        "foot": intrinsics.project(joints_m[FEET]),
    }
