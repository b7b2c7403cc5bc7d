"""The simulated camera's images as a bag, as a driver's topics would be recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.bags.writer import BagWriter
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import depth_millimetres, image_message
from rehab_pose.units import NS_PER_S
from rehab_pose_sim.camera import SimulatedCamera

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from rehab_pose_sim.settings import SimulationSettings

__all__ = ["write_bag"]

FIRST_STAMP_NS = NS_PER_S
"""Zero would mean that a stamp is missing."""


def write_bag(
    path: Path,
    settings: SimulationSettings,
    frames: Iterable[int],
    *,
    change_depth: Callable[[int, NDArray[np.uint16]], None] | None = None,
) -> None:
    """Write colour, depth and camera_info of some frames.

    Args:
        path: Folder of the bag; must not exist.
        settings: Of the simulation; `rate_hz` gives the stamps.
        frames: Indices of the frames, in order.
        change_depth: Called with the index and the depth image (H, W) [mm] of each frame, which it may change.

    Raises:
        RecordingError: The folder exists, or cannot be written.
    """
    camera = SimulatedCamera(settings)
    with BagWriter(path) as bag:
        for index in frames:
            frame = camera.frame(index).frame
            stamp_ns = FIRST_STAMP_NS + round(index * NS_PER_S / settings.rate_hz)
            stamp = header(bag.factory, stamp_ns, frame.frame_id)
            depth = depth_millimetres(frame.depth_m)
            if change_depth is not None:
                change_depth(index, depth)
            bag.write(topics.CAMERA_INFO, stamp_ns, camera_info_message(bag.factory, stamp, frame.intrinsics))
            bag.write(topics.COLOR, stamp_ns, image_message(bag.factory, stamp, "rgb8", frame.color))
            bag.write(topics.DEPTH, stamp_ns, image_message(bag.factory, stamp, "16UC1", depth))
