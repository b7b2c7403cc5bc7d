"""Training of the correction: people are never on both sides, and every variant is measured."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.fused_features import DETECTORS, OTHER_STREAMS, SUMMARY_COUNT, VERTEX_COUNT, Findings
from rehab_pose.exercise.fused_network import FusedNetwork
from rehab_pose.exercise.window_features import FEATURE_JOINTS
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import Clip
from rehab_pose_lab.training import fusion_training
from rehab_pose_lab.training.fusion_clips import FusionClip
from rehab_pose_lab.training.fusion_correction import CorrectionPlan, fit_correction
from rehab_pose_lab.training.fusion_training import EVALUATED_SAMPLES, FusionPlan, fused_table, train_fused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SAMPLES = 12
PLAN = FusionPlan(
    exercises=20, others=4, folds=2, correction=CorrectionPlan(steps=3, batch=8, width=16, layers=1, dropout=0.0)
)


def recordings() -> list[Clip]:
    movements = [("kimore", label) for label in LABELS[1:]] + [("utkinect", "walk")]
    return [
        Clip(
            name=f"{label}_{person}",
            dataset=dataset,
            subject=f"s{person}",
            group="",
            label=label,
            stamps_ns=np.arange(2),
            skeleton=SMPL_24,
            positions_m=np.zeros((2, 24, 3), dtype=np.float32),
            confidence=np.ones((2, 24), dtype=np.float32),
        )
        for dataset, label in movements
        for person in range(4)
    ]


def rendered(chosen: Sequence[Clip], _folder: Path, *, seed: int) -> list[FusionClip]:
    random = np.random.default_rng(seed)
    shapes = {
        "boxes_px": (4,),
        "families": (len(DETECTORS), SUMMARY_COUNT),
        "contours_px": (20, 8, 2),
        "rotations_rad": (23, 3),
        "vertices_m": (VERTEX_COUNT, 3),
    }
    return [
        FusionClip(
            dataset=clip.dataset,
            name=clip.name,
            subject=clip.subject,
            label=clip.label if clip.label in LABELS else "none",
            positions_m=random.normal(0.0, 0.3, (SAMPLES, len(FEATURE_JOINTS), 3)).astype(np.float32),
            up=np.array([0.0, -1.0, 0.0]),
            findings=Findings(
                **{
                    name: random.normal(9.0, 1.0, (1, SAMPLES, *shape)).astype(np.float32)
                    for name, shape in shapes.items()
                }
            ),
        )
        for clip in chosen
    ]


class UnsureSession:
    def run(self, _outputs: list[str], inputs: dict[str, Any]) -> list[Any]:
        return [np.zeros((len(inputs["features"]), len(LABELS)), dtype=np.float32)]


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_people_are_never_on_both_sides_and_every_variant_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: dict[str, set[str]] = {}
    tested: list[set[str]] = []

    def fit(clips: Sequence[FusionClip], logits: Any, plan: CorrectionPlan, checkpoint: Path) -> Any:  # noqa: ANN401
        trained[checkpoint.stem] = {f"{clip.dataset}/{clip.subject}" for clip in clips}
        return fit_correction(clips, logits, plan, checkpoint)

    def count(counts: Any, network: Any, clips: Sequence[FusionClip], logits: Any) -> None:  # noqa: ANN401
        if clips:
            tested.append({f"{clip.dataset}/{clip.subject}" for clip in clips})
        original(counts, network, clips, logits)

    original = fusion_training._count
    monkeypatch.setattr(fusion_training, "load_clips", lambda _data: recordings())
    monkeypatch.setattr(fusion_training, "fusion_clips", rendered)
    monkeypatch.setattr(fusion_training, "depth_clips", lambda _root, _folder: [])
    monkeypatch.setattr(fusion_training, "_joint_network", lambda *_arguments: (UnsureSession(), 1.0))
    monkeypatch.setattr(fusion_training, "fit_correction", fit)
    monkeypatch.setattr(fusion_training, "_count", count)
    metrics = train_fused(tmp_path / "data", tmp_path / "out", PLAN)
    everyone = {f"kimore/s{person}" for person in range(4)} | {f"utkinect/s{person}" for person in range(4)}
    assert trained["correction"] == everyone
    for fold, people in enumerate(tested):
        assert people
        assert not people & trained[f"correction_fold{fold}"]
        assert people | trained[f"correction_fold{fold}"] == everyone
    assert len(tested) == PLAN.folds
    assert metrics == json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert set(metrics["variants"]) >= {"joints", "all streams", *(f"joints and {name}" for name in OTHER_STREAMS)}
    # A joint network that is unsure says none; 0.8 and 1 s fit into the recordings, 2 and 4 s do not.
    assert metrics["variants"]["joints"]["right_pct_0.8 s"] == 0.0
    assert metrics["variants"]["joints"]["false_pct_0.8 s"] == 0.0
    assert metrics["variants"]["joints"]["windows_0.8 s"] == 20.0
    assert "right_pct_2 s" not in metrics["variants"]["joints"]
    assert len(fused_table(metrics)) == 2 * 2 + len(metrics["variants"])
    assert len(EVALUATED_SAMPLES) == 4
    assert FusedNetwork(tmp_path / "out" / "exercise_fused.onnx").vertices.shape == (VERTEX_COUNT,)
