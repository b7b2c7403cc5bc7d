"""A simulated RGB-D camera in front of a simulated person: frames with their ground truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_joints, pose_vertices_of_joints
from rehab_pose.datatypes import RgbdFrame, unknown_direction
from rehab_pose.drawing.rasteriser import draw_mesh, empty_buffers, shade, vertex_normals
from rehab_pose_sim.clothes import cloth_fractions, face_colors, vertex_texture
from rehab_pose_sim.depth_noise import DepthNoise
from rehab_pose_sim.motions import Motion, motion_plan
from rehab_pose_sim.pose import Stance
from rehab_pose_sim.posture_motions import subject_motion
from rehab_pose_sim.room import Room, roll_rotation
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import BodyParameters
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose_sim.motions import BodyMotion, MotionSample

__all__ = ["SimulatedCamera", "SimulatedFrame", "SimulatedTruth", "random_shape"]

FRAME_ID = "camera_color_optical_frame"
LIGHT = np.array([-0.35, -0.65, -0.68], dtype=np.float32)
"""Direction to the lamp in the optical frame of a camera without roll."""
AMBIENT = 0.45
"""Brightness of a surface that faces away from the lamp, 0-1."""
SECOND_PERSON_M = (0.95, -0.55)
"""Position of the second person: x, z in the world [m]."""
SHAPE_STD = 0.8
"""Standard deviation of random shape coefficients [standard deviations of adults]."""
MAX_SHAPE = 2.0
"""Random shape coefficients are limited to this [standard deviations of adults]."""
MAX_JOINT_DEPTH_M = 0.3
"""A surface of the person that is farther than this in front of a joint belongs to another limb [m]."""


@dataclass(frozen=True, eq=False)
class SimulatedTruth:
    """Exact content of a frame; positions in the camera's optical frame."""

    silhouette: NDArray[np.bool_]
    """(H, W) the subject's visible pixels, without those that other surfaces hide."""
    parts: NDArray[np.uint8]
    """(H, W) LIP class of the subject's pixels, 0 elsewhere."""
    depth_m: NDArray[np.float32]
    """(H, W) without the sensor's errors [m], infinity where there is no surface."""
    joints_m: NDArray[np.float64]
    """(24, 3) [m]."""
    joint_visible: NDArray[np.bool_]
    """(24) True where the joint projects into the image and the nearest surface there is the skin or cloth over it."""
    joint_rotations: NDArray[np.float64]
    """(24, 3, 3) camera_from_joint."""
    vertices_m: NDArray[np.float32]
    """(V, 3) of the body under the clothes [m]."""
    parameters: BodyParameters
    """In the y-up world [m]."""
    floor_plane: NDArray[np.float64]
    """(4) unit normal up, and offset [m]."""
    label: str
    phase: float
    """0-1 within the current repetition; NaN outside."""
    repetitions: int
    """Completed since the exercise began."""
    angles_rad: dict[str, float]
    """Clinical angles that the script sets [rad]."""


@dataclass(frozen=True, eq=False)
class SimulatedFrame:
    """A frame as the pipeline receives it, and its ground truth."""

    frame: RgbdFrame
    truth: SimulatedTruth


@dataclass(frozen=True, eq=False)
class _Person:
    motion: BodyMotion
    cloth_m: NDArray[np.float32]
    """(V) distance of the clothes from the skin [m]."""
    face_colors: NDArray[np.float32]
    """(F, 3) RGB, 0-255."""


class SimulatedCamera:
    """Renders any frame by its number; a number always gives the same frame."""

    def __init__(
        self,
        settings: SimulationSettings | None = None,
        model: BodyModel | None = None,
        motion: BodyMotion | None = None,
    ) -> None:
        """Build the room and the people.

        Args:
            settings: Camera, room, person and movement.
            model: The body to render; the free one when None.
            motion: Movement of the subject, for the same body model; the script of the settings when None.
        """
        self._settings = settings or SimulationSettings()
        self._model = model or load_body_model()
        self._room = Room.from_settings(self._settings)
        self._noise = DepthNoise(self._settings.noise, self._room.intrinsics, self._settings.seed)
        self._texture = vertex_texture(self._model)
        self._light = (roll_rotation(self._settings) @ LIGHT).astype(np.float32)
        with np.errstate(divide="ignore"):
            self._room_inverse_depth = (1.0 / self._room.depth_m).astype(np.float32)
        self._people = [self._person(place, motion) for place in range(self._settings.people)]

    @property
    def intrinsics(self) -> CameraIntrinsics:
        """The camera."""
        return self._room.intrinsics

    @property
    def model(self) -> BodyModel:
        """The body that is rendered."""
        return self._model

    @property
    def length_frames(self) -> int:
        """Number of frames after which the motion repeats."""
        return int(np.ceil(self._people[0].motion.length_s * self._settings.rate_hz))

    def motion_at(self, index: int) -> MotionSample:
        """Return the subject's pose and label in frame `index` without rendering it."""
        return self._people[0].motion.at(index / self._settings.rate_hz)

    def frame(self, index: int) -> SimulatedFrame:
        """Return frame `index` (from 0 on)."""
        inverse_depth, triangle_id = self._room_inverse_depth.copy(), empty_buffers(self.intrinsics)[1]
        color = self._room.color.copy()
        drawn = []
        for place, person in enumerate(self._people):
            sample = person.motion.at(index / self._settings.rate_hz)
            positions, rotations = pose_joints(self._model, sample.parameters)
            vertices = pose_vertices_of_joints(self._model, sample.parameters, positions, rotations)
            skin = self._room.camera.in_camera(vertices.astype(np.float64)).astype(np.float32)
            surface = self._dressed(person, skin)
            first_id = place * len(self._model.faces)
            draw_mesh(surface, self._model.faces, self.intrinsics, inverse_depth, triangle_id, first_id=first_id)
            drawn.append((sample, positions, rotations, skin, surface))
        for place, (_, _, _, _, surface) in enumerate(drawn):
            self._paint(place, surface, triangle_id, color)
        with np.errstate(divide="ignore"):
            exact = np.float32(1.0) / inverse_depth
        depth = self._noise.add_errors(index, exact, color)
        stamp_ns = self._settings.start_ns + round(index * 1e9 / self._settings.rate_hz)
        up = self._room.camera.rotation[:, 1] if self._settings.imu else unknown_direction()
        frame = RgbdFrame(stamp_ns, FRAME_ID, self.intrinsics, color, depth, up=up)
        return SimulatedFrame(frame, self._truth(*drawn[0][:4], triangle_id, exact))

    def _person(self, place: int, motion: BodyMotion | None) -> _Person:
        """Return the subject (place 0), with a given motion or the scripted one, or the second person (place 1)."""
        settings = self._settings
        cloth_m = settings.clothing_m * cloth_fractions(self._model, settings.seed + place)
        colors = face_colors(self._model, settings.seed + place)
        if place == 0 and motion is not None:
            return _Person(motion, cloth_m.astype(np.float32), colors)
        betas = np.zeros(self._model.shape_count)
        if settings.shape_seed or place:
            random = np.random.default_rng([settings.shape_seed, 7, place])
            betas = random_shape(random, self._model.shape_count)
        if place == 0:
            motion = subject_motion(settings, self._model, betas)
        else:
            still = SimulationSettings(exercise="none", seed=settings.seed + place, sway=settings.sway)
            stance = Stance(self._model, betas, place_m=SECOND_PERSON_M, heading_rad=-0.3)
            motion = Motion(stance, motion_plan(still), still)
        return _Person(motion, cloth_m.astype(np.float32), colors)

    def _dressed(self, person: _Person, vertices_m: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the outer surface (V, 3) of a body (V, 3) in the camera's frame [m]."""
        if not person.cloth_m.any():
            return vertices_m
        return np.asarray(vertices_m + person.cloth_m[:, None] * vertex_normals(vertices_m, self._model.faces))

    def _paint(
        self, place: int, vertices_m: NDArray[np.float32], triangle_id: NDArray[np.int32], color: NDArray[np.uint8]
    ) -> None:
        """Paint the visible triangles of a person into the colour image: Lambert's law plus ambient light."""
        faces = self._model.faces
        light = AMBIENT + (1.0 - AMBIENT) * np.clip(vertex_normals(vertices_m, faces) @ self._light, 0.0, 1.0)
        brightness = (light * self._texture).astype(np.float32)
        colors = self._people[place].face_colors
        shade(vertices_m, faces, brightness, colors, self.intrinsics, triangle_id, color, first_id=place * len(faces))

    def _truth(
        self,
        sample: MotionSample,
        positions: NDArray[np.float64],
        rotations: NDArray[np.float64],
        vertices: NDArray[np.float32],
        triangle_id: NDArray[np.int32],
        exact: NDArray[np.float32],
    ) -> SimulatedTruth:
        count = len(self._model.faces)
        silhouette = (triangle_id >= 0) & (triangle_id < count)
        parts = np.zeros(silhouette.shape, dtype=np.uint8)
        if self._model.part_labels is not None:
            parts[silhouette] = self._model.part_labels[triangle_id[silhouette]]
        joints_m = self._room.camera.in_camera(positions)
        return SimulatedTruth(
            silhouette=silhouette,
            parts=parts,
            depth_m=exact,
            joints_m=joints_m,
            joint_visible=_visible(joints_m, silhouette, exact, self.intrinsics),
            joint_rotations=self._room.camera.rotation @ rotations,
            vertices_m=vertices,
            parameters=sample.parameters,
            floor_plane=self._room.camera.floor_plane,
            label=sample.label,
            phase=sample.phase,
            repetitions=sample.repetitions,
            angles_rad=sample.angles_rad,
        )


def random_shape(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return random shape coefficients (count) of an adult body."""
    return np.clip(random.normal(0.0, SHAPE_STD, count), -MAX_SHAPE, MAX_SHAPE)


def _visible(
    joints_m: NDArray[np.float64],
    silhouette: NDArray[np.bool_],
    depth_m: NDArray[np.float32],
    intrinsics: CameraIntrinsics,
) -> NDArray[np.bool_]:
    """Return which joints (J, 3) [m] are visible in the image (J)."""
    pixels = intrinsics.project(joints_m)
    known = np.asarray(np.isfinite(pixels).all(axis=1))
    column, row = np.floor(np.where(known[:, None], pixels, -1.0) + 0.5).astype(np.intp).T
    height, width = silhouette.shape
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    place = (np.clip(row, 0, height - 1), np.clip(column, 0, width - 1))
    return np.asarray(inside & silhouette[place] & (joints_m[:, 2] - depth_m[place] <= MAX_JOINT_DEPTH_M))
