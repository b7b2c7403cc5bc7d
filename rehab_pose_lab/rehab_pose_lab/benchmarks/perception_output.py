"""`rehab-pose bench perception`: silhouettes and joints against the truth, beside the published rules."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose_lab.benchmarks.perception_pictures import PictureBook

__all__ = ["print_perception"]

KINECT_FOLDER, STANDING = "irds/irds_depth", "stand"


def print_perception(*, method: str, as_json: bool, pictures: Path | None) -> None:
    """Measure and print one flat JSON object, or tables and figures.

    Args:
        method: How the silhouettes are found that the joints are taken from; empty: the default of the settings;
            truth: the true ones, and no real frames nor speeds.
        as_json: Print JSON; what could not be measured is null.
        pictures: Folder for one picture a scene, or None.

    Raises:
        RecordingError: Some public data are there but cannot be used, or a picture cannot be written.
    """
    # Loaded only when this command runs.
    from rehab_pose.body.loader import load_body_model  # noqa: PLC0415
    from rehab_pose.silhouette.settings import SilhouetteSettings  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.perception import TRUTH, figures_of, shots_of_scenes  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.perception_pictures import PictureBook  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.perception_scenes import clips_of_scenes, data_folder, perception_scenes  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.perception_speed import speed_figures  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.perception_tables import joint_table, scene_table  # noqa: PLC0415

    method = method or SilhouetteSettings().method
    folder, scenes = data_folder(), perception_scenes()
    clips = clips_of_scenes(scenes, folder)
    book = None if pictures is None else PictureBook(pictures, load_body_model())
    shots = shots_of_scenes(scenes, clips, method=method, show=None if book is None else book.show)
    figures = figures_of(shots)
    figures["recorded_scenes"] = float(len(clips))
    if method != TRUTH:
        figures["irds_error_mm"] = _kinect_error_mm(folder, method, book)
        figures.update(speed_figures(method))
    sheet = None if book is None else book.finish()
    if as_json:
        known = {name: round(value, 4) if math.isfinite(value) else None for name, value in figures.items()}
        print(json.dumps(known, indent=1))
        return
    print("\n".join([*scene_table(shots, clips), "", *joint_table(shots), ""]))
    for name, value in figures.items():
        print(f"{name:40s}{value:10.3f}")
    if sheet is not None:
        print(f"pictures: {sheet}")


def _kinect_error_mm(folder: Path, method: str, book: PictureBook | None) -> float:
    """Return the error on the real frame of somebody standing [mm]; NaN where the data are not there."""
    from rehab_pose_lab.benchmarks.kinect_frame import error_after_offset_mm, kinect_frames, look_at_kinect  # noqa: PLC0415

    error_mm = float("nan")
    for given in kinect_frames(folder / KINECT_FOLDER):
        silhouette, joints = look_at_kinect(given, method)
        if STANDING in given.name and joints is not None:
            error_mm = error_after_offset_mm(joints.positions_m, given.joints_m)
        if book is not None:
            book.show_found(given.name, given.frame, silhouette, joints)
    return error_mm
