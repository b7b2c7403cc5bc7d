"""PartLabeller against the simulation's truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rehab_pose.datatypes import Joints
from rehab_pose.parts.classes import LIP_CLASSES, LIP_COLORS, lip_class
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.parts.settings import PartSettings
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.simulation.camera import SimulatedCamera, SimulatedFrame
from rehab_pose.simulation.settings import SimulationSettings
from rehab_pose.skeletons.smpl24 import SMPL_24


def true_joints(simulated: SimulatedFrame) -> Joints:
    return Joints(
        stamp_ns=simulated.frame.stamp_ns,
        frame_id=simulated.frame.frame_id,
        skeleton=SMPL_24,
        positions_m=simulated.truth.joints_m,
        confidence=np.ones(24),
        sigma_m=np.full(24, 0.02),
        state=np.ones(24, np.uint8),
        floor_plane=simulated.truth.floor_plane,
    )


def test_most_pixels_get_their_part_and_sides_are_the_persons_own() -> None:
    simulated = SimulatedCamera(SimulationSettings(exercise="arm_lifting")).frame(120)
    silhouette = SilhouetteSegmenter().segment(simulated.frame)
    assert silhouette is not None
    parts = PartLabeller().label(silhouette, true_joints(simulated))
    x, y, width, height = silhouette.box_px
    truth = simulated.truth.parts[y : y + height, x : x + width]
    both = silhouette.inside & (truth > 0)
    assert (parts.labels[both] == truth[both]).mean() > 0.75
    assert (parts.labels[~silhouette.inside] == 0).all()
    for side in ("left", "right"):
        arm = lip_class(f"{side}_arm")
        assert (parts.labels[both & (truth == arm)] == arm).mean() > 0.7


def test_contour_points_are_even_and_missing_parts_are_nan() -> None:
    simulated = SimulatedCamera(SimulationSettings(exercise="none")).frame(0)
    silhouette = SilhouetteSegmenter().segment(simulated.frame)
    assert silhouette is not None
    parts = PartLabeller(PartSettings(points_per_contour=40)).label(silhouette, true_joints(simulated))
    assert parts.contours_px.shape == (20, 40, 2)
    assert np.isnan(parts.contours_px[lip_class("hat")]).all()
    pants = parts.contours_px[lip_class("pants")]
    steps = np.linalg.norm(np.diff(np.vstack([pants, pants[:1]]), axis=0), axis=1)
    assert steps.max() < 1.8 * np.median(steps)


def test_unknown_joints_do_not_stop_the_labelling() -> None:
    simulated = SimulatedCamera(SimulationSettings(exercise="none")).frame(0)
    silhouette = SilhouetteSegmenter().segment(simulated.frame)
    assert silhouette is not None
    joints = true_joints(simulated)
    half = joints.positions_m.copy()
    half[::2] = np.nan
    for positions in (half, np.full((24, 3), np.nan)):
        parts = PartLabeller().label(silhouette, replace(joints, positions_m=positions))
        assert (parts.labels[silhouette.inside] > 0).all()


def test_every_class_has_a_colour_of_its_own() -> None:
    assert len(LIP_CLASSES) == len(LIP_COLORS) == len({tuple(color) for color in LIP_COLORS.tolist()}) == 20
