"""The ablation of streams: only a stream with information about the exercise changes the accuracy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.fused_features import DETECTORS, FUSED_COUNT, SUMMARY_COUNT, VERTEX_COUNT, Findings
from rehab_pose.exercise.window_features import FEATURE_JOINTS
from rehab_pose_lab.training import fusion_ablation
from rehab_pose_lab.training.fusion_ablation import VARIANTS, AblationPlan, FusionLayout, ablation, ablation_table
from rehab_pose_lab.training.fusion_clips import FusionClip, farthest_vertices

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SAMPLES = 20
PLAN = AblationPlan(steps=40, seeds=(1,), held_out_fraction=0.5)


def clip(subject: int, label: str, random: np.random.Generator) -> FusionClip:
    """Return a clip in which only the body rotations depend on the exercise."""
    rotations = random.normal(0.0, 0.1, (SAMPLES, 23, 3))
    rotations[:, EXERCISES.index(label)] += 1.0
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


def test_only_the_informative_stream_changes_the_accuracy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    clips = [clip(subject, label, random) for subject in range(6) for label in EXERCISES]
    complete = FusionLayout()
    variants = {
        "all streams": complete,
        "body alone": FusionLayout(streams=("body",)),
        "without body": FusionLayout(streams=("joints", "keypoints", "contours", "vertices")),
    }
    monkeypatch.setattr(fusion_ablation, "VARIANTS", variants)
    path = tmp_path / "fusion.json"
    results = ablation(clips, path, PLAN)["variants"]
    assert results["body alone"]["window_acc"] > 0.9
    assert results["without body"]["window_acc"] < 0.5
    assert results["without body"]["lost_points"] > 30.0
    assert len(ablation_table({"variants": results})) == 1 + len(variants)
    written = json.loads(path.read_text())
    assert set(written["held_out"]) < {str(subject) for subject in range(6)}
    written["variants"]["body alone"]["window_acc"] = 0.123
    path.write_text(json.dumps(written))
    assert ablation(clips, path, PLAN)["variants"]["body alone"]["window_acc"] == 0.123, (
        "finished variants are not trained again"
    )


def test_a_variant_uses_fewer_features_than_all_streams() -> None:
    used = {name: layout.mask().sum() for name, layout in VARIANTS.items()}
    assert used.pop("all streams") == FUSED_COUNT
    assert max(used.values()) < FUSED_COUNT
    assert used["half of the contour points"] == FUSED_COUNT - 20 * 8
    assert used["50 % fewer vertices"] == FUSED_COUNT - 3 * VERTEX_COUNT // 2
    streams = ("joints", "keypoints", "contours", "body", "vertices")
    assert sum(used[f"{name} alone"] for name in streams) == FUSED_COUNT


def test_farthest_vertices_cover_the_whole_body() -> None:
    model = load_body_model()
    chosen = farthest_vertices(model, 64)
    assert len(set(chosen.tolist())) == 64
    distance_m = np.linalg.norm(model.v_template[:, None] - model.v_template[chosen][None], axis=2).min(axis=1)
    assert distance_m.max() < 0.2
