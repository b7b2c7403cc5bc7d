"""Run all stages on a camera that your own code reads, frame by frame, without ROS and without a bag.

`frames()` stands for your camera: replace it by a loop that yields colour (H, W, 3) uint8 RGB, depth (H, W) float32 [m]
registered to colour (NaN = no depth), and a stamp [ns]. Here it is the simulated camera in real time.

python examples/live_camera.py --frames 600
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from rehab_pose.datatypes import RgbdFrame
from rehab_pose.pipeline import Pipeline
from rehab_pose_sim.camera import SimulatedCamera

if TYPE_CHECKING:
    from collections.abc import Iterator

RATE_HZ = 30


def frames(count: int) -> Iterator[RgbdFrame]:
    """Yield frames as a camera gives them: the newest one, so that frames are left out while the stages are busy."""
    camera, start_s = SimulatedCamera(), time.monotonic()
    intrinsics = camera.frame(0).frame.intrinsics  # CameraIntrinsics(width_px, height_px, fx, fy, cx, cy)
    for _ in range(count):
        image = camera.frame(int((time.monotonic() - start_s) * RATE_HZ)).frame
        yield RgbdFrame(
            stamp_ns=time.time_ns(),
            frame_id="camera",
            intrinsics=intrinsics,
            color=image.color,
            depth_m=image.depth_m,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600, help="number of frames (default: %(default)s)")
    pipeline = Pipeline()
    pipeline.warm_up()
    count, label = 0, ""
    for frame in frames(parser.parse_args().frames):
        result = pipeline.process(frame)
        count += 1
        if result.exercise.classification.label != label:
            label = result.exercise.classification.label
            print(f"now: {label}")
        if (repetition := result.exercise.repetition) is not None:
            print(f"{repetition.label} {repetition.count}: quality {repetition.quality:.2f}")
    print(f"{count} frames")
