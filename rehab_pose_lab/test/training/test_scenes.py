"""Rendered training samples: repeatability, ground truth, crops, and training from exported weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rehab_pose.body.loader import load_body_model
from rehab_pose.errors import ModelFileError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.joints.crop import CROP_SIDE_M, INPUT_NAME, crop_box
from rehab_pose.joints.predictor import DEFAULT_WEIGHTS
from rehab_pose.weights import load_network
from rehab_pose_lab.training.joint_network import JointNetwork
from rehab_pose_lab.training.loop import LoopSettings, train
from rehab_pose_lab.training.random_people import PersonSampler
from rehab_pose_lab.training.random_poses import PoseSampler
from rehab_pose_lab.training.scenes import SceneSampler, crop_targets
from rehab_pose_lab.training.silhouette_network import SilhouetteNetwork
from rehab_pose_lab.training.warm_start import start_from_export

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def sampler(seed: int) -> SceneSampler:
    random = np.random.default_rng(seed)
    return SceneSampler(random, load_body_model(), PoseSampler(random))


def test_the_same_seed_gives_the_same_room() -> None:
    first, second = sampler(3).silhouette_sample(), sampler(3).silhouette_sample()
    np.testing.assert_array_equal(first.depth_m, second.depth_m)
    np.testing.assert_array_equal(first.people, second.people)


def test_people_are_visible_in_most_rooms_but_do_not_fill_the_image() -> None:
    scenes = sampler(4)
    fractions = np.array([scenes.silhouette_sample().people.mean() for _ in range(40)])
    assert fractions.min() < 0.01, "some rooms are empty"
    assert 0.02 < np.median(fractions) < 0.4
    assert fractions.max() < 0.99


def test_the_height_of_a_sample_is_the_height_above_its_floor() -> None:
    rows, columns = np.mgrid[0:128, 0:160]
    lowest_m = []
    for seed in range(8):
        sample = sampler(seed).silhouette_sample()
        a, b, c, d = sample.height_of_depth
        lowest_m.append(np.nanpercentile(sample.depth_m * (a * columns + b * rows + c) + d, 1))
        assert 0.25 < d < 3.0, "the height of the camera above the floor"
    assert min(lowest_m) > -0.1, "no surface is below the floor"
    assert abs(np.median(lowest_m)) < 0.08, "the floor is visible in most images"


def test_the_target_of_a_crop_is_on_its_person() -> None:
    scenes = sampler(5)
    inside = []
    for _ in range(20):
        sample = scenes.joint_sample()
        column, row = (np.clip(sample.fractions[9] * 128, 0, 127)).astype(int)
        inside.append(bool(sample.crop.encoded[1, row - 2 : row + 3, column - 2 : column + 3].any()))
        assert sample.crop.side_px * sample.crop.centre_depth_m > 0.5 * CROP_SIDE_M * 100
    assert np.mean(inside) > 0.8, "the upper spine projects onto the person"


def test_a_network_started_from_exported_weights_gives_the_exported_output() -> None:
    torch.manual_seed(0)
    scenes = sampler(8)
    crops = torch.from_numpy(np.stack([scenes.joint_sample().crop.encoded for _ in range(8)]))
    network = JointNetwork()
    start_from_export(network, DEFAULT_WEIGHTS, crops)
    exported = load_network(DEFAULT_WEIGHTS, (INPUT_NAME,)).session
    expected = np.concatenate([exported.run(None, {INPUT_NAME: crop[None]})[0] for crop in crops.numpy()])
    for mode in (True, False):
        network.train(mode)
        with torch.no_grad():
            np.testing.assert_allclose(network(crops).numpy(), expected, atol=2e-3)
    with pytest.raises(ModelFileError, match="exported from another network"):
        start_from_export(SilhouetteNetwork(), DEFAULT_WEIGHTS, torch.zeros(2, 4, 128, 160))


def test_targets_in_a_crop_are_the_inverse_of_its_points() -> None:
    camera = CameraIntrinsics(640, 480, 600.0, 620.0, 320.0, 240.0)
    crop = crop_box(np.full((300, 150), 2.5, np.float32), (200, 80, 150, 300), camera)
    assert crop is not None
    points_m = np.random.default_rng(0).uniform((-0.8, -1.0, 1.5), (0.8, 1.0, 3.5), (20, 3))
    np.testing.assert_allclose(crop.points_m(*crop_targets(crop, points_m, camera), camera), points_m, atol=1e-9)


def test_the_loss_of_one_batch_of_crops_decreases_by_training_on_it(tmp_path: Path) -> None:
    scenes = sampler(6)
    samples = [scenes.joint_sample() for _ in range(4)]
    crops = torch.from_numpy(np.stack([sample.crop.encoded for sample in samples]))
    targets = torch.from_numpy(np.stack([sample.fractions for sample in samples]).astype(np.float32))
    network = JointNetwork()

    def batches(_first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        while True:
            yield crops, targets

    def loss(net: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        distance: torch.Tensor = (net(batch[0])[..., :2] - batch[1]).abs().mean()
        return distance

    settings = LoopSettings(steps=40, batch_size=4, learning_rate=3e-3, warm_up_steps=5, checkpoint_every=20)
    checkpoint = tmp_path / "joints.checkpoint"
    start = float(loss(network, (crops, targets)).detach())
    train(network, batches, loss, settings, checkpoint)
    assert float(loss(network, (crops, targets)).detach()) < 0.4 * start
    # The checkpoint is at the last step: nothing remains to be trained.
    assert train(network, batches, loss, settings, checkpoint) == 0.0


def test_people_in_postures_rest_on_their_supports() -> None:
    random = np.random.default_rng(12)
    people = PersonSampler(random, load_body_model(), PoseSampler(random))
    heights, legs = [], 0
    for _ in range(40):
        person = people.sample(np.zeros(3), posture=True)
        top = 0.0 if person.support is None else person.support.size_m[1]
        legs += person.support is not None and person.support.on_legs
        # Clothes may reach a little below the skin.
        assert -0.05 < person.vertices_m[:, 1].min() - top < 1e-3
        heights.append(top)
    assert max(heights) > 0.3
    assert min(heights) == 0.0
    assert legs > 0
