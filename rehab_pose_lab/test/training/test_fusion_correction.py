"""The correction by all streams: windows, training, export, and the law that it is zero without other streams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.fused_features import (
    DETECTORS,
    FUSED_STREAMS,
    OTHER_STREAMS,
    SUMMARY_COUNT,
    VERTEX_COUNT,
    Findings,
    coverage,
    fused_features,
)
from rehab_pose.exercise.fused_network import FusedNetwork
from rehab_pose.exercise.window_features import FEATURE_JOINTS, WINDOW_SAMPLES
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import Clip
from rehab_pose_lab.training.fusion_clips import FusionClip, chosen_recordings
from rehab_pose_lab.training.fusion_correction import (
    CorrectionPlan,
    corrections_of,
    export_correction,
    fit_correction,
)
from rehab_pose_lab.training.fusion_windows import draw_windows, regular_windows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.training.fusion_correction import CorrectionNetwork

SAMPLES = 30
PLAN = CorrectionPlan(steps=60, batch=24, width=32, layers=1, dropout=0.0)
METADATA = {"vertices": ",".join(str(index) for index in range(VERTEX_COUNT)), "body_model": "body-1"}


def clip(subject: int, label: str, random: np.random.Generator) -> FusionClip:
    """Return a moving person in whose findings only the rotations depend on the exercise."""
    rotations = random.normal(0.0, 0.1, (SAMPLES, 23, 3))
    rotations[:, LABELS.index(label)] += 1.5
    findings = Findings(
        boxes_px=np.tile(np.array([50.0, 50.0, 80.0, 200.0], dtype=np.float32), (1, SAMPLES, 1)),
        families=random.normal(size=(1, SAMPLES, len(DETECTORS), SUMMARY_COUNT)).astype(np.float32),
        contours_px=random.normal(100.0, 10.0, (1, SAMPLES, 20, 8, 2)).astype(np.float32),
        rotations_rad=rotations[None].astype(np.float32),
        vertices_m=random.normal(0.0, 0.3, (1, SAMPLES, VERTEX_COUNT, 3)).astype(np.float32),
    )
    positions_m = random.normal(0.0, 0.3, (SAMPLES, len(FEATURE_JOINTS), 3)).astype(np.float32)
    up = np.array([0.0, -1.0, 0.0])
    return FusionClip("kimore", f"{subject}_{label}", str(subject), label, positions_m, up, findings)


def unsure(
    clips: NDArray[np.int64], features: NDArray[np.float32], present: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the logits of a joint network that knows nothing."""
    assert features.shape[-1] == FUSED_STREAMS[0].size
    assert len(clips) == len(features) == len(present)
    return np.zeros((len(clips), len(LABELS)), dtype=np.float32)


@pytest.fixture(scope="module")
def clips() -> list[FusionClip]:
    random = np.random.default_rng(1)
    return [clip(subject, label, random) for subject in range(3) for label in LABELS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("correction")


@pytest.fixture(scope="module")
def network(clips: list[FusionClip], folder: Path) -> CorrectionNetwork:
    return fit_correction(clips, unsure, PLAN, folder / "correction.pt")


def test_the_correction_tells_what_the_joints_do_not(network: CorrectionNetwork) -> None:
    random = np.random.default_rng(2)
    windows = regular_windows([clip(9, label, random) for label in LABELS], 20)
    assert (corrections_of(network, windows, unsure)[1].argmax(axis=1) == windows.labels).mean() > 0.9
    others = replace(windows, findings=windows.findings.only([name for name in OTHER_STREAMS if name != "body"]))
    assert (corrections_of(network, others, unsure)[1].argmax(axis=1) == windows.labels).mean() < 0.6


def test_without_other_streams_the_answer_is_exactly_that_of_the_joints(
    network: CorrectionNetwork, clips: list[FusionClip]
) -> None:
    windows = regular_windows(clips, 8)
    alone = replace(windows, findings=windows.findings.only([]))
    assert not corrections_of(network, alone, unsure)[1].any()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_exported_network_gives_the_same_corrections_and_keeps_the_law(
    network: CorrectionNetwork, clips: list[FusionClip], folder: Path
) -> None:
    path = folder / "exercise_fused.onnx"
    export_correction(network, path, METADATA)
    fused = FusedNetwork(path)
    assert len(fused.vertices) == VERTEX_COUNT
    assert fused.body_model == "body-1"
    windows = regular_windows(clips, 20)
    _, expected = corrections_of(network, windows, unsure)
    found = fused.corrections(windows.positions_m, windows.up, windows.findings)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    none = fused.corrections(windows.positions_m, windows.up, windows.findings.only([]))
    assert none.shape == expected.shape
    assert not none.any()


def test_an_interrupted_training_resumes_with_the_same_result(
    network: CorrectionNetwork, clips: list[FusionClip], folder: Path
) -> None:
    again = fit_correction(clips, unsure, PLAN, folder / "correction.pt")
    for first, second in zip(network.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(first.detach().numpy(), second.detach().numpy())
    with pytest.raises(RecordingError, match="use the same plan"):
        fit_correction(clips, unsure, replace(PLAN, steps=61), folder / "correction.pt")


def test_drawn_windows_have_every_label_and_missing_and_late_streams(clips: list[FusionClip]) -> None:
    windows = draw_windows(clips, 300, np.random.default_rng(3))
    assert set(windows.labels) == set(range(len(LABELS)))
    assert 0.2 < (windows.labels == 0).mean() < 0.4
    assert [LABELS.index(clips[place].label) for place in windows.clips] == windows.labels.tolist()
    features, present = fused_features(windows.positions_m, windows.up, windows.findings)
    assert np.isfinite(features).all()
    filled = present.sum(axis=1)
    assert filled.min() >= 7
    assert filled.max() == WINDOW_SAMPLES or filled.max() >= SAMPLES - 1
    rotations = np.isfinite(windows.findings.rotations_rad[:, :, 0, 0])
    hidden = ~rotations.any(axis=1)
    assert 0.2 < hidden.mean() < 0.4
    late = ~rotations[~hidden, -1]
    assert 0.2 < late.mean() < 0.7
    covered = coverage(features, present)
    assert ((covered >= 0.0) & (covered <= 1.0)).all()


def recordings() -> list[Clip]:
    found = []
    positions_m = np.zeros((2, 24, 3), dtype=np.float32)
    for dataset, label in (("kimore", "squat"), ("kimore", "arm_lifting"), ("utkinect", "walk"), ("mars", "squat")):
        for number in range(6):
            made = Clip(
                name=f"{label}_{number}",
                dataset=dataset,
                subject=f"s{number % 3}",
                group="",
                label=label,
                stamps_ns=np.arange(2),
                skeleton=SMPL_24,
                positions_m=positions_m,
                confidence=positions_m[..., 0],
            )
            found.append(made)
    return found


def test_recordings_are_chosen_in_turn_and_more_of_them_add_to_fewer() -> None:
    few, more = (chosen_recordings(recordings(), count, 2, 7) for count in (4, 8))
    assert [entry.name for entry in more[:4]] == [entry.name for entry in few[:4]]
    labels = [entry.label for entry in more[:-2]]
    assert labels.count("squat") == labels.count("arm_lifting") == 4
    assert {entry.subject for entry in few[:4]} == {"s0", "s1", "s2"}
    assert all(entry.label == "walk" for entry in more[-2:]), "a squat of another set is neither exercise nor none"
