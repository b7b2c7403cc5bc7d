"""Training of the joint network: stored samples, real people, the loss, and parallel rendering."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from rehab_pose.errors import RecordingError
from rehab_pose.joints.crop import CHANNELS, CROP_PX, DEPTH_SCALE_M, crop_box
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.utd_mhad import UTD_CAMERA
from rehab_pose_lab.training import sample_store, shards
from rehab_pose_lab.training.joint_samples import RealSampler, RenderedSampler, packed_crop
from rehab_pose_lab.training.joints import KinectOffsets, TrainedJoints, _mirrored, joint_loss, unpacked
from rehab_pose_lab.training.person_frames import PersonFrame, PersonFrames
from rehab_pose_lab.training.sample_store import SampleStore
from rehab_pose_lab.training.shards import load_shards, make_shards
from rehab_pose_lab.training.teacher_frames import teacher_frames
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.recording import write_bag
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehab_pose_lab.training.shards import Sample


HEAD, WRIST = SMPL_24.index("head"), SMPL_24.index("left_wrist")


@dataclass(frozen=True)
class Numbers:
    """A sampler of numbers."""

    first: float = 0.0

    def __call__(self, random: np.random.Generator) -> Callable[[], Sample]:
        return lambda: {"value": np.array([self.first + random.random()])}


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shards, sample_store):
        monkeypatch.setattr(module, "SHARD_SAMPLES", 5)


def standing_frames() -> PersonFrames:
    """Two frames of a flat figure 2.5 m away with joints at known places."""
    depth = np.zeros((150, 60), np.uint16)
    depth[5:145, 20:40] = 2500
    joints = np.full((24, 3), np.nan)
    joints[HEAD] = UTD_CAMERA.back_project(np.array([[150.0, 60.0]]), np.array([2.5]))[0]
    joints[WRIST] = [0.3, 0.1, 2.4]
    frame = PersonFrame(depth, (120, 50, 60, 150), joints, np.full(3, np.nan), UTD_CAMERA)
    return PersonFrames.collect([frame, frame])


@pytest.mark.usefixtures("small_shards")
def test_a_store_draws_from_the_shards_that_exist_and_loads_later_ones(tmp_path: Path) -> None:
    make_shards(tmp_path, 5, 3, Numbers())
    store = SampleStore(tmp_path, 15, "cpu")
    store.load_new()
    assert len(store) == 5
    make_shards(tmp_path, 15, 3, Numbers())
    store.wait_for(15)
    assert len(store) == 15
    drawn = store.draw(200, np.random.default_rng(0))["value"].numpy()
    np.testing.assert_array_equal(np.unique(drawn), np.unique(load_shards(tmp_path, 15)["value"]))


@pytest.mark.usefixtures("small_shards")
def test_a_damaged_shard_is_not_loaded(tmp_path: Path) -> None:
    make_shards(tmp_path, 5, 3, Numbers())
    shards.shard_path(tmp_path, 1).write_bytes(b"PK broken")
    store = SampleStore(tmp_path, 10, "cpu")
    store.load_new()
    assert len(store) == 5


def test_stored_crops_keep_the_networks_input() -> None:
    sample = RenderedSampler(None)(np.random.default_rng(4))()
    assert sample["packed"].dtype == np.int16
    rows, columns = np.mgrid[0:300, 0:150]
    depth = (2.0 + 0.002 * rows + 0.001 * columns).astype(np.float32)
    crop = crop_box(depth, (200, 80, 150, 300), UTD_CAMERA, np.array([0.1, -0.9, -0.42]))
    assert crop is not None
    stored = packed_crop(crop)
    inputs = unpacked(torch.from_numpy(stored["packed"][None]), torch.from_numpy(stored["height"][None]))
    assert inputs.shape == (1, CHANNELS, CROP_PX, CROP_PX)
    np.testing.assert_allclose(inputs[0].numpy(), crop.encoded, atol=0.5 * 1.5 / 127.0 + 1e-4)


def test_a_real_sample_has_targets_where_its_frame_has_joints() -> None:
    draw = RealSampler(standing_frames())(np.random.default_rng(1))
    for _ in range(10):
        sample = draw()
        known = np.isfinite(sample["target"]).all(axis=1)
        assert set(np.flatnonzero(known)) == {HEAD, WRIST}
        assert (sample["packed"] > -32768).sum() > 300
        # The head was put on the flat figure: its depth relative to the median is 0, whatever the size.
        assert abs(sample["target"][HEAD, 2] * DEPTH_SCALE_M) < 0.01


def test_the_kinects_offsets_are_the_same_on_both_sides() -> None:
    offsets = KinectOffsets()
    with torch.no_grad():
        offsets.offsets_m.normal_()
    value = offsets().detach().numpy()
    np.testing.assert_allclose(value[list(SMPL_24.mirror)] * [-1.0, 1.0, 1.0], value, atol=1e-6)
    np.testing.assert_allclose(value[SMPL_24.index("head"), 0], 0.0, atol=1e-6)


def test_joints_without_target_do_not_count_and_offsets_apply_to_real_people_only() -> None:
    torch.manual_seed(0)
    trained = TrainedJoints().eval()
    crops = torch.zeros(2, CHANNELS, CROP_PX, CROP_PX)
    with torch.no_grad():
        target = trained(crops)[..., :3]
        half = target.clone()
        half[:, 5:] = torch.nan
        real, rendered = torch.ones(2), torch.zeros(2)
        exact = float(joint_loss(trained, (crops, target, rendered)))
        assert np.isfinite(float(joint_loss(trained, (crops, half, rendered))))
        trained.kinect.offsets_m.fill_(0.3)
        assert float(joint_loss(trained, (crops, target, rendered))) == pytest.approx(exact)
        assert float(joint_loss(trained, (crops, target, real))) > exact + 1.0


def test_mirrored_samples_exchange_left_and_right() -> None:
    packed = torch.arange(4 * 4, dtype=torch.int16).reshape(1, 4, 4).repeat(40, 1, 1)
    target = torch.rand(1, 24, 3).repeat(40, 1, 1)
    batch = {"packed": packed, "height": packed.to(torch.int8), "target": target}
    images, heights, targets = _mirrored(batch, np.random.default_rng(0))
    flipped = (images[:, 0, 0] == 3).numpy()
    assert 5 < flipped.sum() < 35
    np.testing.assert_array_equal(images.numpy().astype(np.int8), heights.numpy())
    left, right = SMPL_24.index("left_wrist"), SMPL_24.index("right_wrist")
    np.testing.assert_allclose(targets[flipped, left, 0], 1.0 - target[flipped, right, 0])
    np.testing.assert_allclose(targets[flipped, left, 1:], target[flipped, right, 1:])
    np.testing.assert_allclose(targets[~flipped], target[~flipped])


def test_frames_of_people_are_the_same_after_writing_and_reading(tmp_path: Path) -> None:
    frames = standing_frames()
    frames.save(tmp_path / "people.npz")
    read = PersonFrames.load(tmp_path / "people.npz")
    assert len(read) == 2
    assert read.intrinsics(1) == UTD_CAMERA
    np.testing.assert_array_equal(read.image_m(1), frames.image_m(1))
    image = read.image_m(0)
    assert image.shape == (240, 320)
    assert image[55, 140] == pytest.approx(2.5)
    assert np.isfinite(image).sum() == 140 * 20


def test_an_own_recording_teaches_what_the_pipeline_finds_in_it(tmp_path: Path) -> None:
    settings = SimulationSettings(exercise="arm_lifting", noise="kinect", rate_hz=15.0)
    write_bag(tmp_path / "bag", settings, range(20, 38))
    frames = teacher_frames([tmp_path / "bag"])
    assert 3 <= len(frames) <= 6
    camera = SimulatedCamera(settings)
    truth = np.array([camera.frame(index).truth.joints_m for index in range(20, 38)])
    for joints in frames.joints_m:
        known = np.isfinite(joints).all(axis=1)
        assert known.sum() >= 10
        distance = np.linalg.norm(truth[:, known] - joints[known], axis=2).mean(axis=1)
        assert distance.min() < 0.05
    sample = RealSampler(frames)(np.random.default_rng(0))()
    assert np.isfinite(sample["target"]).all(axis=1).sum() >= 10


def test_an_own_recording_without_a_person_is_refused(tmp_path: Path) -> None:
    settings = SimulationSettings(distance_m=5.9, wall_distance_m=9.0, noise="kinect")
    write_bag(tmp_path / "bag", settings, range(3))
    with pytest.raises(RecordingError, match="teacher: expected a person"):
        teacher_frames([tmp_path / "bag"])
