"""Samples of the joint network as they are stored: rendered people and real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.joints.crop import CLIP, UP_WITHOUT_GRAVITY
from rehab_pose_lab.training.random_cameras import up_with_errors
from rehab_pose_lab.training.scenes import (
    SceneSource,
    crop_targets,
    crop_with_mask_errors,
    ends_px,
)
from rehab_pose_sim.random_depth_noise import add_random_outline_errors
from rehab_pose_sim.random_mask_errors import add_real_mask_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.joints.crop import PersonCrop
    from rehab_pose_lab.training.person_frames import PersonFrames
    from rehab_pose_lab.training.shards import Sample

__all__ = ["DEPTH_STEPS", "HEIGHT_STEPS", "NO_RETURN", "RealSampler", "RenderedSampler", "packed_crop"]

NO_RETURN = -32768
"""Stored integer of a pixel without return."""
DEPTH_STEPS = 20000.0
"""Stored integers per unit of relative depth."""
HEIGHT_STEPS = 127.0 / CLIP
"""Stored integers per unit of relative height: 7 mm a step."""
SIZES = (0.9, 1.12)
"""Range of the factor by which real people are made smaller or larger: there are only a few of them."""
MASK_ERROR_FRACTION = 0.4
"""Fraction of the real people who get further errors of the silhouette: theirs has real ones already."""


def packed_crop(crop: PersonCrop) -> Sample:
    """Return a crop as integers: depth (128, 128) with NO_RETURN, and height (128, 128)."""
    relative, measured, height = crop.encoded
    packed = np.where(measured > 0, np.rint(relative * DEPTH_STEPS), NO_RETURN).astype(np.int16)
    return {"packed": packed, "height": np.rint(height * HEIGHT_STEPS).astype(np.int8)}


@dataclass(frozen=True, eq=False)
class RenderedSampler(SceneSource):
    """Makes samples of rendered people."""

    def __call__(self, random: np.random.Generator) -> Callable[[], Sample]:
        """Return a function that returns one sample."""
        scenes = self.scenes(random)

        def draw() -> Sample:
            sample = scenes.joint_sample()
            target = np.concatenate([sample.fractions, sample.relative_depth[:, None]], axis=1)
            return {**packed_crop(sample.crop), "target": target.astype(np.float32)}

        return draw


@dataclass(frozen=True, eq=False)
class RealSampler:
    """Makes samples of real people; targets are NaN for joints that their frames lack."""

    frames: PersonFrames

    def __call__(self, random: np.random.Generator) -> Callable[[], Sample]:
        """Return a function that returns one sample of a random frame."""

        def draw() -> Sample:
            while True:
                sample = self._try(int(random.integers(len(self.frames))), random)
                if sample is not None:
                    return sample

        return draw

    def _try(self, index: int, random: np.random.Generator) -> Sample | None:
        # A person who is larger by a factor and farther away by the same factor gives the same image.
        size = float(random.uniform(*SIZES))
        depth = self.frames.image_m(index) * np.float32(size)
        joints = self.frames.joints_m[index] * size
        camera = self.frames.intrinsics(index)
        inside = np.isfinite(depth)
        if random.random() < MASK_ERROR_FRACTION:
            inside = add_random_outline_errors(inside, random)
            inside = add_real_mask_errors(inside, depth, ends_px(joints, camera), random)
        up = self.frames.up[index]
        up = np.array(UP_WITHOUT_GRAVITY) if not np.isfinite(up).all() else up
        crop = crop_with_mask_errors(inside, depth, camera, up_with_errors(up, random), random)
        if crop is None:
            return None
        fractions, relative_depth = crop_targets(crop, joints, camera)
        target = np.concatenate([fractions, relative_depth[:, None]], axis=1)
        return {**packed_crop(crop), "target": target.astype(np.float32)}
