"""Groups of stages on simulated people: colour and depth together, the loss of colour, the joints' method."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.body.settings import BodySettings
from rehab_pose.datatypes import RgbdFrame
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.joints.settings import JointSettings
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
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


@pytest.mark.parametrize(("rate_hz", "networks"), [(60.0, 1), (15.0, 2)])
def test_the_networks_on_depth_take_turns_except_for_a_slow_camera(
    monkeypatch: pytest.MonkeyPatch, rate_hz: float, networks: int
) -> None:
    camera = SimulatedCamera(SimulationSettings(exercise="none", rate_hz=rate_hz, start_ns=1))
    images = ImageStages(ImageJointSettings(enabled=False), SilhouetteSettings())
    pose = PoseStages(JointSettings(), BodySettings())
    pose.warm_up()
    runs: list[int] = []
    finder = images.silhouette._finder
    segment, predict = finder._network_probability, pose.joints.predict

    def segmented(*given: Any) -> Any:  # noqa: ANN401
        runs.append(index)
        return segment(*given)

    def predicted(*given: Any) -> Any:  # noqa: ANN401
        runs.append(index)
        return predict(*given)

    monkeypatch.setattr(finder, "_network_probability", segmented)
    monkeypatch.setattr(pose.joints, "predict", predicted)
    for index in range(12):
        shot = camera.frame(index)
        result = images.process(shot.frame)
        joints = pose.process(result.silhouette, result.image_joints, alternates=result.alternates).joints
        assert result.silhouette is not None
        assert joints is not None
        mask, truth = result.silhouette.full_mask(), shot.truth.silhouette
        assert np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth) > 0.9
    assert sorted(runs)[-8:] == [index for index in range(12 - 8 // networks, 12) for _ in range(networks)]


def test_the_silhouettes_network_runs_in_every_frame_while_the_person_moves_fast() -> None:
    camera = SimulatedCamera(SimulationSettings(exercise="none", rate_hz=60.0, start_ns=1, noise="none"))
    finder = SilhouetteSegmenter(SilhouetteSettings(method="rgbd"))._finder
    frame = camera.frame(0).frame
    up, floor = np.full(3, np.nan), np.full(4, np.nan)
    alternates = []
    for index, shift_px in enumerate((0, 0, 8, 16, 24, 24, 24)):  # of the image in a frame: 2.7 m/s
        moved = dataclasses.replace(
            frame,
            stamp_ns=1 + round(index * 1e9 / 60.0),
            depth_m=np.roll(frame.depth_m, shift_px, axis=1),
            color=np.roll(frame.color, shift_px, axis=1),
        )
        finder.find(moved, up, floor)
        alternates.append((finder._last is not None, finder.alternates))
    assert [ran for ran, _ in alternates] == [True, False, True, True, True, False, True]
    assert [alternate for _, alternate in alternates] == [False, False, True, False, False, False, True]


@pytest.mark.parametrize("size_px", [(1, 1), (3, 2), (8, 6), (16, 12), (12, 16), (64, 48), (119, 90)])
def test_images_of_any_size_are_processed(size_px: tuple[int, int]) -> None:
    width, height = size_px
    camera = CameraIntrinsics(width, height, fx=width, fy=width, cx=0.5 * width - 0.5, cy=0.5 * height - 0.5)
    random, images = np.random.default_rng(3), stages()
    for index in range(6):
        depth_m = np.full((height, width), 3.0, np.float32)
        left, right = sorted(random.integers(0, width + 1, 2))
        depth_m[height // 4 :, left:right] = 1.5
        color = random.integers(0, 255, (height, width, 3), dtype=np.uint8)
        images.process(RgbdFrame(1 + index * 33_000_000, "cam", camera, color, depth_m))
