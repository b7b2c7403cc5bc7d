"""Infers the bones inside a fitted body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.bones.articulations import Articulations
from rehab_pose.bones.atlas import bone_shapes
from rehab_pose.bones.fit import Skin, fit_shapes
from rehab_pose.bones.layout import BoneLayout, bone_layout, rest_joints_m
from rehab_pose.bones.posing import BonePoser
from rehab_pose.bones.settings import BoneSettings
from rehab_pose.datatypes import Body, BodyParameters, BoneMesh, Bones

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from rehab_pose.bones.licensed import BoneTemplate
    from rehab_pose.bones.posing import Frames
    from rehab_pose.bones.shapes import Shape
    from rehab_pose.bones.surface import Surface

    SurfaceSource = Callable[[Body], Sequence[Surface]]

__all__ = ["BoneInferrer", "bones_inside", "surface_body"]

SIGMA_M = {"skull": 0.010, "femur": 0.012, "tibia": 0.012, "humerus": 0.012, "ulna": 0.012, "radius": 0.012}
OTHER_SIGMA_M = 0.020
"""Standard deviation of a proportional bone's ends from the person's own [m]: estimated from the variation of
proportions among adults, not measured."""
AT_REST = 1e-6
"""Largest difference of rotation matrices' entries between joints of a body at rest."""


@dataclass(frozen=True, eq=False)
class _Person:
    """Results that depend on the body shape only."""

    layout: BoneLayout
    """The bones of the source."""
    poser: BonePoser
    joints: Articulations
    sigma_m: NDArray[np.float64]
    """(B) one standard deviation of each bone's ends [m]."""


@dataclass(frozen=True, eq=False)
class _Meshes:
    """The surfaces of all bones, relative to the frames that carry them."""

    local_m: NDArray[np.float32]
    """(V, 3) in the frame that carries each vertex [m]."""
    frames: NDArray[np.intp]
    """(B) index in `layout.FRAMES` of the frame that carries each bone."""
    faces: NDArray[np.int32]
    vertex_starts: NDArray[np.int64]
    face_starts: NDArray[np.int64]

    def posed(self, frames: Frames) -> BoneMesh:
        """Return the mesh in the camera frame."""
        vertices = np.empty_like(self.local_m)
        rotations, places = frames.rotations.astype(np.float32), frames.positions_m.astype(np.float32)
        for bone, first in enumerate(self.vertex_starts[:-1]):
            frame, last = self.frames[bone], self.vertex_starts[bone + 1]
            vertices[first:last] = self.local_m[first:last] @ rotations[frame].T + places[frame]
        return BoneMesh(vertices, self.faces, self.vertex_starts, self.face_starts)


class BoneInferrer:
    """Infers the bones of one person: sizes once for each body shape, poses in every frame."""

    def __init__(
        self,
        settings: BoneSettings | None = None,
        surfaces: SurfaceSource | None = None,
        template: BoneTemplate | None = None,
    ) -> None:
        """Take the sources of surfaces and shapes.

        Args:
            settings: Which bones are inferred.
            surfaces: Returns a body's skin in one or more poses, the pose at rest first if it is known; the bones'
                meshes are fitted inside all of them. None: meshes in average proportions.
            template: Bones of a licensed model instead of the procedural ones (see `licensed`).
        """
        self._settings = settings or BoneSettings()
        self._surfaces = surfaces
        self._template = template
        self.reset()

    def reset(self) -> None:
        """Forget the person's shape."""
        self._shape: tuple[str, bytes] | None = None
        self._person: _Person | None = None
        self._meshes: _Meshes | None = None

    def process(self, item: Body | None) -> Bones | None:
        """Return the bones inside a body; without one, forget the person's shape."""
        if item is None:
            self.reset()
            return None
        return self.infer(item)

    def infer(self, body: Body) -> Bones:
        """Return every bone's pose, length and radius, and the joints between them.

        Lengths change only when the body's shape does. They are an average adult's proportions between this body's
        joints (see `proportions`), not a measurement of the person's bones.
        """
        person = self._person_of(body)
        return self._bones(body, person, person.poser.frames(body.joint_positions_m, body.joint_rotations))

    def infer_with_meshes(self, body: Body) -> Bones:
        """Return the same with the bones' surfaces; for a new body shape computing them takes about a second."""
        person = self._person_of(body)
        if self._meshes is None:
            self._meshes = self._build_meshes(body, person)
        frames = person.poser.frames(body.joint_positions_m, body.joint_rotations)
        return replace(self._bones(body, person, frames), mesh=self._meshes.posed(frames))

    def _bones(self, body: Body, person: _Person, frames: Frames) -> Bones:
        layout = person.layout
        return Bones(
            stamp_ns=body.stamp_ns,
            frame_id=body.frame_id,
            names=layout.names,
            camera_from_bone=person.poser.bone_poses(frames, layout),
            length_m=layout.length_m,
            radius_m=layout.radius_m,
            sigma_m=np.hypot(person.sigma_m, np.nan_to_num(body.residual_m)),
            joint_names=person.joints.names,
            joint_centres_m=person.joints.ends_m(frames)[0],
            source="procedural" if self._template is None else self._template.source,
        )

    def _person_of(self, body: Body) -> _Person:
        shape = (body.model_id, body.parameters.betas.tobytes())
        if self._person is None or shape != self._shape:
            rest_m = rest_joints_m(body.joint_positions_m, body.joint_rotations)
            procedural = bone_layout(rest_m, with_ribs=self._settings.with_ribs)
            layout = procedural if self._template is None else self._template.layout(procedural)
            sigma = [SIGMA_M.get(name.split("_", 1)[-1], OTHER_SIGMA_M) for name in layout.names]
            self._person = _Person(layout, BonePoser(procedural), Articulations.of(procedural), np.array(sigma))
            self._shape = shape
            self._meshes = None
        return self._person

    def _build_meshes(self, body: Body, person: _Person) -> _Meshes:
        surfaces = tuple(self._surfaces(body)) if self._surfaces else ()
        layout = person.layout
        if self._template is None:
            shapes = bone_shapes(layout, Skin(_at_rest(surfaces[0]) if surfaces else None))
        else:
            shapes = self._template.shapes(layout)
        if surfaces:
            shapes = fit_shapes(layout, person.poser, shapes, surfaces)
        return _collected(layout, shapes)


def _at_rest(surface: Surface) -> Surface | None:
    """Return a surface in the body's axes with the pelvis as origin, or None where its joints are not at rest."""
    root = surface.joint_rotations[0]
    if np.abs(surface.joint_rotations - root).max() > AT_REST:
        return None
    origin = surface.joint_positions_m[0]
    return replace(
        surface,
        vertices_m=(surface.vertices_m - origin) @ root,
        joint_positions_m=(surface.joint_positions_m - origin) @ root,
        joint_rotations=root.T @ surface.joint_rotations,
    )


def _collected(layout: BoneLayout, shapes: dict[str, Shape]) -> _Meshes:
    local, faces, vertex_starts, face_starts = [], [], [0], [0]
    for name, frame in zip(layout.names, layout.frames, strict=True):
        shape = shapes[name]
        local.append(shape.vertices_m - layout.origins_m[frame])
        faces.append(shape.faces + vertex_starts[-1])
        vertex_starts.append(vertex_starts[-1] + len(shape.vertices_m))
        face_starts.append(face_starts[-1] + len(shape.faces))
    return _Meshes(
        np.concatenate(local).astype(np.float32),
        layout.frames,
        np.concatenate(faces).astype(np.int32),
        np.array(vertex_starts, dtype=np.int64),
        np.array(face_starts, dtype=np.int64),
    )


def surface_body(surface: Surface, model_id: str = "mesh", parameters: BodyParameters | None = None) -> Body:
    """Return a closed mesh with known joints as a fitted body; its parameters are zero where none are given."""
    return Body(
        stamp_ns=0,
        frame_id="",
        model_id=model_id,
        parameters=parameters or BodyParameters(np.zeros(0), np.zeros((24, 3)), np.zeros(3)),
        vertices_m=surface.vertices_m.astype(np.float32),
        joint_positions_m=surface.joint_positions_m,
        joint_rotations=surface.joint_rotations,
        residual_m=0.0,
        iterations=0,
        converged=True,
    )


def bones_inside(surface: Surface, settings: BoneSettings | None = None) -> Bones:
    """Return the bones, with meshes, inside any closed mesh whose 24 joints are known, in whatever pose it is.

    The result does not depend on the number of vertices, their order, or whether they are split along seams.
    """
    return BoneInferrer(settings, lambda _: (surface,)).infer_with_meshes(surface_body(surface))
