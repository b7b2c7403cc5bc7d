"""`rehab-pose warm-up`: compile and cache all kernels, so that no node compiles at its first frame."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import RgbdFrame

__all__ = ["add_parser", "person_in_front_of_wall", "run"]

FRAMES = 3
"""Number of frames: the first is fitted without a previous pose, the later ones with it, so both variants compile."""
FRAME_NS = 33_333_333
"""Time between two frames [ns]."""
WIDTH_PX, HEIGHT_PX, FOCAL_PX = 640, 480, 460.0
"""Size and focal length of the images [px]."""
PERSON_DISTANCE_M, WALL_DISTANCE_M = 2.6, 3.6
"""Distances from the camera [m]."""
WALL_RGB, PERSON_RGB = 160, 90
"""Grey levels of the images [0-255]."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `warm-up`."""
    parser = subparsers.add_parser("warm-up", help="compile and cache all kernels (part of scripts/setup)")
    parser.set_defaults(run=run)


def run(_arguments: argparse.Namespace) -> int:
    """Run the full pipeline on a few frames of the body model in front of a wall."""
    from rehab_pose.bones.fit import warm_up as warm_up_bones  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose.capture.cleaning import DepthCleaner  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415

    start = time.perf_counter()
    pipeline, cleaner = Pipeline(), DepthCleaner()
    for index in range(FRAMES):
        frame = person_in_front_of_wall(pipeline.model, index * FRAME_NS)
        cleaner.clean(frame.depth_m.copy())
        pipeline.process(frame)
    pipeline.warm_up()
    warm_up_bones()
    print(f"kernels compiled and cached in {time.perf_counter() - start:.1f} s")
    return 0


def person_in_front_of_wall(model: BodyModel, stamp_ns: int) -> RgbdFrame:
    """Return a frame in which the body model is in its rest pose in front of a wall, facing the camera."""
    import numpy as np  # noqa: PLC0415  (loaded only when this command runs)

    from rehab_pose.datatypes import RgbdFrame  # noqa: PLC0415
    from rehab_pose.drawing.rasteriser import render_person, shade, vertex_normals  # noqa: PLC0415
    from rehab_pose.geometry.camera import CameraIntrinsics  # noqa: PLC0415

    camera = CameraIntrinsics(WIDTH_PX, HEIGHT_PX, FOCAL_PX, FOCAL_PX, WIDTH_PX / 2.0, HEIGHT_PX / 2.0)
    # SMPL's space has y up and the person facing +z; the optical frame has y down and z away from the camera.
    vertices_m = model.v_template * np.array([1.0, -1.0, -1.0]) + np.array([0.0, 0.0, PERSON_DISTANCE_M])
    vertices_m = vertices_m.astype(np.float32)
    depth_m, triangle_id = render_person(model, vertices_m, camera)
    on_person = np.isfinite(depth_m)
    color = np.full((HEIGHT_PX, WIDTH_PX, 3), WALL_RGB, dtype=np.uint8)
    facing = np.abs(vertex_normals(vertices_m, model.faces)[:, 2])
    colors = np.full((len(model.faces), 3), PERSON_RGB, dtype=np.float32)
    shade(vertices_m, model.faces, facing, colors, camera, triangle_id, color)
    depth_m = np.where(on_person, depth_m, np.float32(WALL_DISTANCE_M))
    return RgbdFrame(stamp_ns, "camera", camera, color, depth_m)
