"""Rendered training samples: seeds, truth, and the crop that training and run time share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rehab_pose.body.loader import load_body_model
from rehab_pose.errors import ModelFileError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.joints.build import DEFAULT_WEIGHTS, INPUT_NAME
from rehab_pose.joints.crop import CROP_SIDE_M
from rehab_pose.weights import load_network
from rehab_pose_lab.training.clutter import RoomCamera, furniture_depth_m, room_depth_m
from rehab_pose_lab.training.joint_network import JointNetwork
from rehab_pose_lab.training.loop import LoopSettings, train
from rehab_pose_lab.training.postures import PostureSampler
from rehab_pose_lab.training.scenes import SceneSampler
from rehab_pose_lab.training.sensor_noise import disturb_depth
from rehab_pose_lab.training.silhouette_network import SilhouetteNetwork
from rehab_pose_lab.training.warm_start import start_from_export

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def sampler(seed: int) -> SceneSampler:
    random = np.random.default_rng(seed)
    return SceneSampler(random, load_body_model(), PostureSampler(random))


def level_camera() -> RoomCamera:
    """Return a camera 1.2 m above the floor that looks along -z."""
    camera_from_world = np.array([[1.0, 0, 0, 0], [0, -1, 0, 1.2], [0, 0, -1, 2.0], [0, 0, 0, 1]])
    return RoomCamera(CameraIntrinsics(80, 64, 77.0, 77.0, 40.0, 32.0), camera_from_world)


def test_the_same_seed_gives_the_same_room() -> None:
    first, second = sampler(3).silhouette_sample(), sampler(3).silhouette_sample()
    np.testing.assert_array_equal(first.depth_m, second.depth_m)
    np.testing.assert_array_equal(first.people, second.people)


def test_people_are_seen_in_most_rooms_and_hardly_ever_fill_them() -> None:
    scenes = sampler(4)
    shares = np.array([scenes.silhouette_sample().people.mean() for _ in range(40)])
    assert 0.0 <= shares.min() < 0.01
    assert 0.02 < np.median(shares) < 0.4


def test_the_floor_is_where_the_camera_stands_on() -> None:
    camera = level_camera()
    depth_m = room_depth_m(camera, np.zeros(3), np.random.default_rng(0))
    points_m = camera.intrinsics.back_project_image(depth_m)
    lowest = points_m[-1, :, 1]
    assert np.median(np.abs(lowest - 1.2)) < 0.3
    assert np.nanmax(points_m[..., 1]) < 1.2 + 1e-3


def test_the_height_of_a_sample_is_the_height_above_its_floor() -> None:
    rows, columns = np.mgrid[0:128, 0:160]
    lowest_m = []
    for seed in range(8):
        sample = sampler(seed).silhouette_sample()
        a, b, c, d = sample.height_of_depth
        lowest_m.append(np.nanpercentile(sample.depth_m * (a * columns + b * rows + c) + d, 1))
        assert 0.5 < d < 2.1, "the camera stands 0.6 to 2 m high"
    assert min(lowest_m) > -0.1, "nothing lies below the floor"
    assert abs(np.median(lowest_m)) < 0.08, "mostly the floor is in view"


def test_furniture_stands_before_infinity_and_seats_are_as_high_as_asked() -> None:
    camera = level_camera()
    random = np.random.default_rng(1)
    seen = [furniture_depth_m(camera, np.zeros(3), random, seat_height_m=0.45) for _ in range(10)]
    assert all((depth > 0).all() for depth in seen)
    assert all(np.isfinite(depth).any() for depth in seen)


def test_noise_keeps_surfaces_near_their_place() -> None:
    depth_m = np.full((128, 160), 2.0, np.float32)
    for seed in range(10):
        disturbed = disturb_depth(depth_m, np.random.default_rng(seed))
        seen = np.isfinite(disturbed)
        assert seen.mean() > 0.8
        assert np.abs(disturbed[seen] - 2.0).max() < 0.2


def test_the_target_of_a_crop_lies_on_its_person() -> None:
    scenes = sampler(5)
    inside = []
    for _ in range(20):
        sample = scenes.joint_sample()
        column, row = (np.clip(sample.fractions[9] * 128, 0, 127)).astype(int)
        inside.append(bool(sample.crop.encoded[1, row - 2 : row + 3, column - 2 : column + 3].any()))
        assert sample.crop.side_px * sample.crop.centre_depth_m > 0.5 * CROP_SIDE_M * 100
    assert np.mean(inside) > 0.8, "the upper spine projects onto the person"


def test_training_goes_on_from_exported_weights() -> None:
    torch.manual_seed(0)
    scenes = sampler(8)
    crops = torch.from_numpy(np.stack([scenes.joint_sample().crop.encoded for _ in range(8)]))
    network = JointNetwork()
    start_from_export(network, DEFAULT_WEIGHTS, crops)
    exported = load_network(DEFAULT_WEIGHTS, (INPUT_NAME,)).session
    said = np.concatenate([exported.run(None, {INPUT_NAME: crop[None]})[0] for crop in crops.numpy()])
    for mode in (True, False):
        network.train(mode)
        with torch.no_grad():
            np.testing.assert_allclose(network(crops).numpy(), said, atol=2e-3)
    with pytest.raises(ModelFileError, match="exported from another network"):
        start_from_export(SilhouetteNetwork(), DEFAULT_WEIGHTS, torch.zeros(2, 4, 128, 160))


def test_one_batch_of_crops_can_be_learnt_by_heart(tmp_path: Path) -> None:
    scenes = sampler(6)
    samples = [scenes.joint_sample() for _ in range(4)]
    crops = torch.from_numpy(np.stack([sample.crop.encoded for sample in samples]))
    wanted = torch.from_numpy(np.stack([sample.fractions for sample in samples]).astype(np.float32))
    network = JointNetwork()

    def batches(_first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        while True:
            yield crops, wanted

    def loss(net: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        distance: torch.Tensor = (net(batch[0])[..., :2] - batch[1]).abs().mean()
        return distance

    settings = LoopSettings(steps=60, batch_size=4, learning_rate=3e-3, warm_up_steps=5, checkpoint_every=30)
    checkpoint = tmp_path / "joints.checkpoint"
    start = float(loss(network, (crops, wanted)).detach())
    train(network, batches, loss, settings, checkpoint)
    assert float(loss(network, (crops, wanted)).detach()) < 0.4 * start
    # Training again finds the checkpoint at its end and has nothing to do.
    assert train(network, batches, loss, settings, checkpoint) == 0.0
