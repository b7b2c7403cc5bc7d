"""Groups of stages on simulated people: colour and depth together, the loss of colour, the joints' method."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.body.settings import BodySettings
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.errors import InputError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.joints.settings import JointSettings
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.silhouette.status import SilhouetteSource, SilhouetteStatus
from rehab_pose.stage_groups import ImageStages, PoseStages
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from rehab_pose_sim.camera import SimulatedFrame

BACK_ERROR_M = 0.10
"""Largest mean error of the joints of a person seen from behind [m]; a mirrored person has 0.3."""


@cache
def shots(yaw_deg: float = 0.0) -> list[SimulatedFrame]:
    settings = SimulationSettings(exercise="arm_lifting", yaw_deg=yaw_deg, background_seed=4, start_ns=1, gap_s=0.0)
    camera = SimulatedCamera(settings)
    return [camera.frame(index) for index in range(40, 46)]


def stages() -> ImageStages:
    return ImageStages(ImageJointSettings(), SilhouetteSettings())


def test_a_person_is_followed_in_colour_from_the_first_frame_on() -> None:
    images = stages()
    for shot in shots():
        result = images.process(shot.frame)
        assert result.silhouette is not None
        assert result.image_joints is not None
        assert images.silhouette.status.source is SilhouetteSource.FUSED
        truth = shot.truth.silhouette
        mask = result.silhouette.full_mask()
        assert np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth) > 0.9


def test_in_darkness_the_person_is_followed_in_depth_and_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    images = stages()
    for shot in shots()[:2]:
        images.process(shot.frame)
    # No attempt to find the person, which takes 80 ms, is made in an image that shows nothing.
    monkeypatch.setattr(images.image_joints, "seed", lambda *_: pytest.fail("the image network was run in darkness"))
    for shot in shots()[2:]:
        dark = dataclasses.replace(shot.frame, color=np.zeros_like(shot.frame.color))
        result = images.process(dark)
        assert result.silhouette is not None
        assert result.image_joints is None
        assert images.silhouette.status.source is SilhouetteSource.DEPTH
        assert images.silhouette.status.reason


def test_a_person_refused_by_the_silhouette_is_not_looked_for_again_in_every_frame(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = stages()
    runs: list[object] = []
    run = images.image_joints._run

    def counted(*given: Any) -> Any:  # noqa: ANN401
        runs.append(given)
        return run(*given)

    monkeypatch.setattr(images.image_joints, "_run", counted)
    refused = SilhouetteStatus(SilhouetteSource.DEPTH, "another person", wrong_person=True)
    monkeypatch.setattr(type(images.silhouette), "status", property(lambda _: refused))
    for shot in shots():
        assert images.process(shot.frame).image_joints is None
    # An attempt takes two runs of the network in each of up to four orientations; there is one in six frames.
    assert len(shots()) == 6
    assert 2 <= len(runs) <= 8


def test_a_person_seen_from_behind_keeps_left_and_right() -> None:
    images, pose = stages(), PoseStages(JointSettings(), BodySettings())
    for shot in shots(180.0):
        person = images.process(shot.frame)
        result = pose.process(person.silhouette, person.image_joints)
        assert result.joints is not None
        errors_m = np.linalg.norm(result.joints.positions_m - shot.truth.joints_m, axis=1)
        assert errors_m.mean() < BACK_ERROR_M


@pytest.mark.parametrize("method", ["network", "fused"])
def test_the_published_joints_are_the_bodys_only_where_the_method_is_fused(method: str) -> None:
    images, pose = stages(), PoseStages(JointSettings(method=method), BodySettings())
    shot = shots()[0]
    person = images.process(shot.frame)
    result = pose.process(person.silhouette, person.image_joints)
    assert result.joints is not None
    assert result.body is not None
    same = np.array_equal(result.joints.positions_m, result.body.joint_positions_m)
    assert same == (method == "fused")


def test_without_a_person_there_are_neither_joints_nor_a_body() -> None:
    result = PoseStages(JointSettings(), BodySettings()).process(None, None)
    assert result.joints is None
    assert result.body is None


def test_the_networks_on_colour_and_on_depth_take_turns_at_30_hz(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = SimulatedCamera(SimulationSettings(exercise="none", background_seed=4, start_ns=1))
    images, pose = stages(), PoseStages(JointSettings(), BodySettings())
    pose.warm_up()
    colour: list[int] = []
    depth: list[int] = []
    run, predict = images.image_joints._run, pose.joints.predict

    def on_colour(*given: Any) -> Any:  # noqa: ANN401
        colour.append(index)
        return run(*given)

    def on_depth(*given: Any) -> Any:  # noqa: ANN401
        depth.append(index)
        return predict(*given)

    monkeypatch.setattr(images.image_joints, "_run", on_colour)
    monkeypatch.setattr(pose.joints, "predict", on_depth)
    for index in range(12):
        shot = camera.frame(index)
        result = images.process(shot.frame)
        joints = pose.process(result.silhouette, result.image_joints).joints
        assert joints is not None
        assert np.linalg.norm(joints.positions_m - shot.truth.joints_m, axis=1).mean() < 0.04
    settled = range(4, 12)
    assert sorted([*colour, *depth])[-8:] == list(settled)  # one of them in each frame
    assert all(later - earlier == 2 for earlier, later in zip(depth[-4:], depth[-3:], strict=False))


def test_images_that_are_too_small_are_refused() -> None:
    camera = CameraIntrinsics(width_px=64, height_px=48, fx=60.0, fy=60.0, cx=31.5, cy=23.5)
    empty = np.full((48, 64), np.nan, np.float32)
    with pytest.raises(InputError, match="expected images with sides of at least 120 pixels, got 64x48"):
        stages().process(RgbdFrame(1, "cam", camera, np.zeros((48, 64, 3), np.uint8), empty))
