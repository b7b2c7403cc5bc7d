"""A fitted body to the bones inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.anatomy.layout import BoneLayout, bone_layout, rest_offsets_m
from rehab_pose.anatomy.settings import AnatomySettings
from rehab_pose.datatypes import Bones

if TYPE_CHECKING:
    from rehab_pose.datatypes import Body

__all__ = ["BoneInferrer"]


class BoneInferrer:
    """Infers the bones of one person: sizes once a body shape, poses every frame."""

    def __init__(self, settings: AnatomySettings | None = None) -> None:
        self._settings = settings or AnatomySettings()
        self.reset()

    def reset(self) -> None:
        """Forget the person's shape."""
        self._shape: tuple[str, bytes] | None = None
        self._layout: BoneLayout | None = None

    def infer(self, body: Body) -> Bones:
        """Return every bone's pose, length and radius.

        Lengths change only when the body's shape does. They are an average adult's proportions between this body's
        joints (see `proportions`), not a measurement of the person's bones.
        """
        shape = (body.model_id, body.parameters.betas.tobytes())
        if self._layout is None or shape != self._shape:
            offsets_m = rest_offsets_m(body.joint_positions_m, body.joint_rotations)
            self._layout = bone_layout(offsets_m, with_ribs=self._settings.with_ribs)
            self._shape = shape
        layout = self._layout
        camera_from_joint = np.tile(np.eye(4), (len(body.joint_positions_m), 1, 1))
        camera_from_joint[:, :3, :3] = body.joint_rotations
        camera_from_joint[:, :3, 3] = body.joint_positions_m
        return Bones(
            stamp_ns=body.stamp_ns,
            frame_id=body.frame_id,
            names=layout.names,
            camera_from_bone=camera_from_joint[layout.segments] @ layout.segment_from_bone,
            length_m=layout.length_m,
            radius_m=layout.radius_m,
        )
