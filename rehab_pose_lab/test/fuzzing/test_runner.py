"""A short run of the fuzzer: no findings, and the same inputs for the same seed."""

from __future__ import annotations

import pytest

from rehab_pose_lab.fuzzing.all_targets import TARGETS
from rehab_pose_lab.fuzzing.runner import fuzz, fuzz_metrics, fuzz_table, shares

NAMES = (
    "calibration file",
    "message Joints",
    "message Repetition",
    "message CameraInfo",
    "body model .npz",
    "spreadsheet",
)


@pytest.mark.slow
def test_a_short_run_finds_nothing_and_is_repeatable() -> None:
    lines: list[str] = []
    results = [fuzz(inputs=300, seconds=None, first_seed=7, names=NAMES, log=lines.append) for _ in range(2)]
    metrics = [fuzz_metrics(result) for result in results]
    assert metrics[0]["fuzz_inputs"] == 300
    assert sum(metrics[0].values()) == metrics[0]["fuzz_inputs"], lines
    assert [result.counts for result in results[0]] == [result.counts for result in results[1]]
    for result in results[0]:
        assert result.counts.total() > max(result.counts.values()), f"{result.name}: all inputs have one outcome"
    assert len(fuzz_table(results[0])) == len(results[0]) + 1


def test_each_target_has_a_minimum_and_fast_ones_have_the_rest() -> None:
    shared = shares(TARGETS, 200_000)
    assert sum(shared.values()) == 200_000
    assert min(shared.values()) >= 500
    assert shared["bag own"] < shared["calibration file"] < shared["message Joints"]
    assert sum(shares(TARGETS, 100).values()) == 100
    assert shares([], 100) == {}
