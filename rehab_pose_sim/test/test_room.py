"""The room, the camera in it, the visibility of joints, and injected motions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.skinning import pose_joints
from rehab_pose.errors import SettingsError
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.motions import MotionSample
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from rehab_pose.datatypes import BodyParameters

SMALL = SimulationSettings(
    width_px=320, height_px=240, fx=230.0, fy=230.0, noise="none", exercise="none", sway=0.0, pitch_deg=6.0
)
JOINT = SMPL_24.index


def test_all_joints_are_visible_in_the_plain_room() -> None:
    assert SimulatedCamera(SMALL).frame(2).truth.joint_visible.all()


def test_background_seeds_give_different_rooms_behind_the_same_person() -> None:
    colors = set()
    plain = SimulatedCamera(SMALL).frame(0).truth
    for seed in range(1, 6):
        shot = SimulatedCamera(replace(SMALL, background_seed=seed)).frame(0)
        np.testing.assert_array_equal(shot.truth.silhouette, plain.silhouette)
        background = shot.frame.color[~shot.truth.silhouette]
        colors.add(tuple(background.mean(axis=0).round().astype(int)))
    assert len(colors) == 5


def test_a_joint_behind_another_limb_is_not_visible() -> None:
    camera = SimulatedCamera(replace(SMALL, yaw_deg=90.0))
    truth = camera.frame(0).truth
    hidden = [SMPL_24.joint_names[index] for index in np.flatnonzero(~truth.joint_visible)]
    # Turned to their left, a person shows their right side: of the arms only the left one can be hidden.
    assert all(not name.startswith("right") for name in hidden)


def test_a_joint_outside_the_image_is_not_visible() -> None:
    truth = SimulatedCamera(replace(SMALL, distance_m=1.2)).frame(0).truth
    assert not truth.joint_visible[[JOINT("left_foot"), JOINT("right_foot")]].any()
    assert truth.joint_visible[JOINT("spine2")]


@dataclass(frozen=True)
class Still:
    parameters: BodyParameters
    length_s: float = 2.0

    def at(self, time_s: float) -> MotionSample:
        return MotionSample(self.parameters, "held", time_s / self.length_s, 0, {})


def test_an_injected_motion_replaces_the_script() -> None:
    scripted = SimulatedCamera(replace(SMALL, exercise="squat"))
    parameters = scripted.motion_at(100).parameters
    camera = SimulatedCamera(SMALL, motion=Still(parameters))
    assert camera.length_frames == 60
    shot = camera.frame(7)
    assert shot.truth.label == "held"
    distances = np.linalg.norm(np.diff(shot.truth.joints_m, axis=0), axis=1)
    posed = pose_joints(camera.model, parameters)[0]
    np.testing.assert_allclose(distances, np.linalg.norm(np.diff(posed, axis=0), axis=1), atol=1e-9)


def test_a_wall_in_front_of_the_person_is_refused() -> None:
    with pytest.raises(SettingsError, match="wall_distance_m"):
        SimulatedCamera(replace(SMALL, distance_m=4.0))


@pytest.mark.parametrize("distance_m", [2.4, 4.0])
@pytest.mark.parametrize("camera_height_m", [0.6, 2.0])
@pytest.mark.parametrize("yaw_deg", [-60.0, 60.0])
def test_a_camera_aimed_at_the_middle_sees_the_whole_person(
    distance_m: float, camera_height_m: float, yaw_deg: float
) -> None:
    pitch_deg = float(np.degrees(np.arctan2(camera_height_m - 0.95, distance_m)))
    changes = {"distance_m": distance_m, "camera_height_m": camera_height_m, "yaw_deg": yaw_deg}
    settings = replace(SMALL, **changes, pitch_deg=pitch_deg, wall_distance_m=distance_m + 1.0)  # type: ignore[arg-type]
    truth = SimulatedCamera(settings).frame(0).truth
    rows, columns = np.nonzero(truth.silhouette)
    assert (rows.min() > 0, rows.max() < 239, columns.min() > 0, columns.max() < 319) == (True, True, True, True)
    left, right = truth.joints_m[[JOINT("left_shoulder"), JOINT("right_shoulder")], 2]
    # Turned to their left, people show their right side: the left shoulder is farther away.
    assert (left > right) == (yaw_deg > 0.0)
