"""Training windows: moving and still parts, repeatability, and the samples of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.feature_streams import STREAM_COUNT
from rehab_pose.exercise.window_features import SMPL_INDICES, WINDOW_SAMPLES
from rehab_pose_lab.datasets.clip import Clip, clip_from_joints
from rehab_pose_lab.training.exercise_windows import TrainingClip, WindowSampler, prepare

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.datatypes import Joints

    Film = Callable[..., list[Joints]]


def clip_of(frames: list[Joints], label: str, subject: str = "s1", group: str = "") -> Clip:
    name = f"{subject}_{label}"
    return clip_from_joints(frames, name=name, dataset="kimore", subject=subject, group=group, label=label)


def test_moving_and_still_windows_are_detected(make_film: Film) -> None:
    frames = make_film("squat", 3, rest_s=5.0)
    prepared = prepare(clip_of(frames, "squat"), 5)
    assert prepared is not None
    begin_ns, end_ns = frames[30].stamp_ns, frames[-150].stamp_ns
    assert begin_ns <= prepared.active_ends_ns[0] <= begin_ns + 1_000_000_000
    assert prepared.active_ends_ns[-1] <= end_ns + 3_000_000_000
    assert len(prepared.quiet_ends_ns)
    assert prepared.quiet_ends_ns.min() > end_ns


def test_the_same_seed_gives_the_same_windows(training_clips: list[TrainingClip]) -> None:
    sampler = WindowSampler(training_clips)
    first, second = (sampler.draw(32, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.features, second.features)
    assert first.features.shape == (32, WINDOW_SAMPLES, STREAM_COUNT)
    assert np.isfinite(first.features).all()
    assert (first.labels >= 0).sum() == (first.labels == -1).sum() == 16
    exercise = first.labels > 0
    np.testing.assert_array_equal(first.exercises[exercise], first.labels[exercise] - 1)


def test_a_window_contains_the_samples_before_its_end() -> None:
    stamps_ns = np.arange(0, 6_000_000_000, 33_333_333)
    along = np.zeros((len(stamps_ns), len(SMPL_INDICES), 3), dtype=np.float32)
    along[:, :, 0] = (stamps_ns * 1e-9)[:, None]
    ends_ns = np.array([5_000_000_000])
    sampler = WindowSampler([TrainingClip(1, stamps_ns, along, ends_ns, ends_ns)])
    (window,) = sampler._windows(
        np.array([0]), np.array([50.0]), np.array([1.25]), np.array([30]), hold=np.array([False])
    )
    assert np.isnan(window[:10]).all()
    np.testing.assert_allclose(window[10:, 0, 0], 5.0 - 0.125 * np.arange(29, -1, -1), atol=1e-3)
    (early,) = sampler._windows(np.array([0]), np.array([9.0]), np.array([1.0]), np.array([40]), hold=np.array([True]))
    np.testing.assert_allclose(early[:, 0, 0], np.maximum(0.1 * np.arange(-30, 10), 0.0), atol=1e-3)
