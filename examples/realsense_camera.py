"""Run all stages on a RealSense without ROS: pip install pyrealsense2.

python examples/realsense_camera.py --frames 600
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.datatypes import RgbdFrame
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH_PX, HEIGHT_PX, RATE_HZ = 640, 480, 30
NS_PER_MS = 1_000_000


def frames(realsense: Any, count: int) -> Iterator[RgbdFrame]:  # noqa: ANN401  (a module without type hints)
    """Yield frames of the first camera, with depth registered to colour."""
    driver, config = realsense.pipeline(), realsense.config()
    config.enable_stream(realsense.stream.color, WIDTH_PX, HEIGHT_PX, realsense.format.rgb8, RATE_HZ)
    config.enable_stream(realsense.stream.depth, WIDTH_PX, HEIGHT_PX, realsense.format.z16, RATE_HZ)
    profile = driver.start(config)
    try:
        unit_m = profile.get_device().first_depth_sensor().get_depth_scale()
        lens = profile.get_stream(realsense.stream.color).as_video_stream_profile().get_intrinsics()
        camera = CameraIntrinsics(lens.width, lens.height, fx=lens.fx, fy=lens.fy, cx=lens.ppx, cy=lens.ppy)
        to_color = realsense.align(realsense.stream.color)
        for _ in range(count):
            images = to_color.process(driver.wait_for_frames())
            color, depth = images.get_color_frame(), images.get_depth_frame()
            if not color or not depth:
                continue
            raw = np.asanyarray(depth.get_data())
            depth_m = np.where(raw == 0, np.nan, raw * np.float32(unit_m)).astype(np.float32)  # 0 = no depth
            stamp_ns = int(color.get_timestamp() * NS_PER_MS)
            yield RgbdFrame(stamp_ns, "camera", camera, np.array(color.get_data()), depth_m)
    finally:
        driver.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=600, help="number of frames (default: %(default)s)")
    pipeline, label = Pipeline(), ""
    pipeline.warm_up()
    for frame in frames(import_module("pyrealsense2"), parser.parse_args().frames):
        result = pipeline.process(frame)
        if result.exercise.classification.label != label:
            label = result.exercise.classification.label
            print(f"now: {label}")
        if (repetition := result.exercise.repetition) is not None:
            print(f"{repetition.label} {repetition.count}: quality {repetition.quality:.2f}")
