"""The recogniser's network: absent samples, sizes, and further inputs."""

from __future__ import annotations

import pytest

from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.feature_streams import STREAM_COUNT
from rehab_pose.exercise.window_features import WINDOW_SAMPLES

torch = pytest.importorskip("torch", reason="training needs torch")


def test_absent_samples_do_not_change_the_logits() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork  # noqa: PLC0415  (only where torch is)

    torch.manual_seed(0)
    network = ExerciseNetwork().eval()
    features, present = torch.randn(3, WINDOW_SAMPLES, STREAM_COUNT), torch.ones(3, WINDOW_SAMPLES)
    present[:, :15] = 0.0
    other = features.clone()
    other[:, :15] = 7.0
    with torch.no_grad():
        first, second = network(features, present), network(other, present)
    for logits, others, count in zip(first, second, (len(LABELS), len(EXERCISES)), strict=True):
        assert logits.shape == (3, count)
        torch.testing.assert_close(others, logits)


def test_the_network_of_the_paper_has_its_number_of_parameters() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings  # noqa: PLC0415

    paper = NetworkSettings(width=512, heads=8, layers=4, hidden=2048, patch=1, encoders=1, statistics=0)
    network = ExerciseNetwork(paper).eval()
    assert 12e6 < sum(values.numel() for values in network.parameters()) < 13e6
    with torch.no_grad():
        logits, among = network(torch.randn(2, WINDOW_SAMPLES, STREAM_COUNT), torch.ones(2, WINDOW_SAMPLES))
    assert (logits.shape, among.shape) == ((2, len(LABELS)), (2, len(EXERCISES)))


def test_further_streams_do_not_change_the_output_size() -> None:
    from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings  # noqa: PLC0415

    network = ExerciseNetwork(NetworkSettings(inputs=STREAM_COUNT + 7)).eval()
    with torch.no_grad():
        logits, _ = network(torch.randn(2, WINDOW_SAMPLES, STREAM_COUNT + 7), torch.ones(2, WINDOW_SAMPLES))
    assert logits.shape == (2, len(LABELS))
