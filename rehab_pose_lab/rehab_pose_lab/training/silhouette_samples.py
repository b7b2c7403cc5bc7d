"""Samples of the silhouette network as they are stored: rendered rooms with people in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose_lab.training.scenes import SceneSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose_lab.training.shards import Sample

__all__ = ["MM_PER_M", "PERSON_BIT", "RoomSampler"]

MM_PER_M = 1000.0
PERSON_BIT = 1 << 15
"""A stored sample has the depth [mm] in 15 bits and the ground truth in the sixteenth."""


@dataclass(frozen=True, eq=False)
class RoomSampler(SceneSource):
    """Makes samples of rooms."""

    def __call__(self, random: np.random.Generator) -> Callable[[], Sample]:
        """Return a function that returns one sample."""
        scenes = self.scenes(random)

        def draw() -> Sample:
            sample = scenes.silhouette_sample()
            millimetres = np.nan_to_num(sample.depth_m * MM_PER_M, nan=0.0).astype(np.uint16)
            packed = (millimetres | (sample.people * np.uint16(PERSON_BIT))).view(np.int16)
            return {"packed": packed, "height_of_depth": sample.height_of_depth.astype(np.float32)}

        return draw
