"""Ablation after table 11 of 3D-PoseFormer: loss of accuracy when a stream of Eq 30 is left out or reduced.

One network per variant is trained from the same initial weights on rendered recordings, split by subject.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.fused_features import (
    CONTOUR_POINTS,
    DETECTORS,
    FUSED_COUNT,
    FUSED_STREAMS,
    PART_COUNT,
    VALUES_PER_FAMILY,
    VERTEX_COUNT,
    Findings,
    fused_features,
)
from rehab_pose.exercise.window_features import WINDOW_SAMPLES
from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.training.fusion_clips import FusionClip

__all__ = ["VARIANTS", "AblationPlan", "ablation", "ablation_table"]

logger = logging.getLogger(__name__)

_STREAMS = tuple(stream.name for stream in FUSED_STREAMS)


@dataclass(frozen=True)
class FusionLayout:
    """Parts of the vector that are used: all, or fewer for an ablation; the others are zero."""

    detectors: tuple[str, ...] = DETECTORS
    contour_points: int = CONTOUR_POINTS
    """Evenly spaced points on the contour of each body part; a divisor of CONTOUR_POINTS."""
    vertices: int = VERTEX_COUNT
    """The first vertices of the body."""
    streams: tuple[str, ...] = _STREAMS

    def mask(self) -> NDArray[np.float32]:
        """Return 1 for each of the FUSED_COUNT features that are used, and 0 for the others."""
        points = np.arange(CONTOUR_POINTS) % (CONTOUR_POINTS // self.contour_points) == 0
        inside = {
            "keypoints": np.repeat([name in self.detectors for name in DETECTORS], VALUES_PER_FAMILY),
            "contours": np.tile([*np.repeat(points, 2), True], PART_COUNT),
            "vertices": np.array([*(np.arange(3 * VERTEX_COUNT) < 3 * self.vertices), True]),
        }
        parts = [
            inside.get(stream.name, np.ones(stream.size, dtype=np.bool_)) & (stream.name in self.streams)
            for stream in FUSED_STREAMS
        ]
        return np.concatenate(parts).astype(np.float32)


_ALL = FusionLayout()


def _variants() -> dict[str, FusionLayout]:
    variants = {"all streams": _ALL}
    variants |= {f"without {name}": replace(_ALL, streams=tuple(s for s in _STREAMS if s != name)) for name in _STREAMS}
    variants |= {f"{name} alone": replace(_ALL, streams=(name,)) for name in _STREAMS}
    variants |= {
        "25 % fewer vertices": replace(_ALL, vertices=_ALL.vertices * 3 // 4),
        "50 % fewer vertices": replace(_ALL, vertices=_ALL.vertices // 2),
        "half of the contour points": replace(_ALL, contour_points=_ALL.contour_points // 2),
    }
    images = replace(_ALL, streams=("keypoints", "contours"))
    variants["keypoints and contours"] = images
    for name in DETECTORS:
        others = tuple(detector for detector in DETECTORS if detector != name)
        variants[f"keypoints and contours, without {name}"] = replace(images, detectors=others)
    return variants


VARIANTS = _variants()
"""All streams, without each stream, each stream by itself, fewer vertices and contour points, and without each detector
(there without the joints, which would hide the effect)."""


@dataclass(frozen=True)
class AblationPlan:
    """Training and evaluation of each variant."""

    window_samples: int = 10
    """Length of the windows: one second. With longer ones every variant is correct on nearly all windows."""
    steps: int = 300
    batch: int = 64
    learning_rate: float = 2e-3
    seeds: tuple[int, ...] = (1, 2, 3)
    held_out_fraction: float = 0.3
    split_seed: int = 7
    threads: int = 1


@dataclass(frozen=True, eq=False)
class _Windows:
    features: NDArray[np.float32]
    """(B, WINDOW_SAMPLES, F), of which the last samples are filled."""
    present: NDArray[np.float32]
    """(B, WINDOW_SAMPLES) 1 for a filled sample."""
    labels: NDArray[np.int64]
    """(B) indices in EXERCISES."""


def ablation(clips: Sequence[FusionClip], path: Path, plan: AblationPlan | None = None) -> dict[str, Any]:
    """Train and evaluate every variant; results that are already in the file are kept.

    Args:
        clips: Recordings of several subjects.
        path: JSON file, written after every variant.
        plan: Sizes and seeds.

    Returns:
        Content of the file: for each variant the accuracy of windows, its standard deviation over the seeds, and the
        loss relative to all streams [percentage points].
    """
    plan = plan or AblationPlan()
    subjects = np.array(sorted({clip.subject for clip in clips}))
    held_out = set(
        np.random.default_rng(plan.split_seed).permutation(subjects)[: round(plan.held_out_fraction * len(subjects))]
    )
    training = [clip for clip in clips if clip.subject not in held_out]
    testing = [clip for clip in clips if clip.subject in held_out]
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    results["held_out"], results["clips"] = sorted(held_out), len(clips)
    variants = results.setdefault("variants", {})
    for name, layout in tqdm(VARIANTS.items(), unit="variant", desc="ablation", mininterval=2.0):
        if name in variants:
            continue
        learned, tested = _windows(training, layout, plan), _windows(testing, layout, plan)
        accuracies = [_accuracy(_train(learned, plan, seed), tested) for seed in plan.seeds]
        variants[name] = {
            "window_acc": float(np.mean(accuracies)),
            "window_acc_sd": float(np.std(accuracies)),
            "n_windows": len(tested.labels),
            "inputs": int(layout.mask().sum()),
        }
        best = variants["all streams"]["window_acc"]
        for entry in variants.values():
            entry["lost_points"] = 100.0 * (best - entry["window_acc"])
        path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        logger.info("%s: %.4f", name, variants[name]["window_acc"])
    return results


def ablation_table(results: dict[str, Any]) -> list[str]:
    """Return the lines of the table of results."""
    lines = [f"{'':52s}{'accuracy':>14s}{'loss':>8s}"]
    for name, entry in results["variants"].items():
        lines.append(
            f"{name:52s}{100.0 * entry['window_acc']:8.2f} % ±{100.0 * entry['window_acc_sd']:.2f}"
            f"{entry['lost_points']:8.2f}"
        )
    return lines


def _windows(clips: Sequence[FusionClip], layout: FusionLayout, plan: AblationPlan) -> _Windows:
    """Return all half overlapping windows of the clips."""
    size = plan.window_samples
    features, present, labels = [], [], []
    for clip in clips:
        for start in range(0, len(clip.positions_m) - size + 1, max(size // 2, 1)):
            inside = slice(start, start + size)
            findings = Findings(**{name: array[:, inside] for name, array in vars(clip.findings).items()})
            fused, valid = fused_features(clip.positions_m[None, inside], clip.up[None], findings)
            window = np.zeros((WINDOW_SAMPLES, FUSED_COUNT), dtype=np.float32)
            window[-size:] = fused[0] * layout.mask()
            features.append(window)
            present.append(np.concatenate([np.zeros(WINDOW_SAMPLES - size), np.maximum(valid[0], 1.0)]))
            labels.append(EXERCISES.index(clip.label))
    return _Windows(np.array(features), np.array(present, dtype=np.float32), np.array(labels, dtype=np.int64))


def _train(windows: _Windows, plan: AblationPlan, seed: int) -> ExerciseNetwork:
    torch.set_num_threads(plan.threads)
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = ExerciseNetwork(NetworkSettings(inputs=FUSED_COUNT, statistics=0, layers=2))
    features, present = torch.from_numpy(windows.features), torch.from_numpy(windows.present)
    labels = torch.from_numpy(windows.labels)
    network.scale_to([(features, present)])
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.learning_rate, total_steps=plan.steps + 1)
    network.train()
    for _ in range(plan.steps):
        chosen = torch.from_numpy(random.integers(0, len(labels), plan.batch))
        _, logits = network(features[chosen], present[chosen])
        loss = functional.cross_entropy(logits, labels[chosen], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    network.eval()
    return network


def _accuracy(network: ExerciseNetwork, windows: _Windows) -> float:
    """Return the fraction of windows with the correct label among the exercises."""
    with torch.no_grad():
        _, logits = network(torch.from_numpy(windows.features), torch.from_numpy(windows.present))
    return float((logits.argmax(dim=-1).numpy() == windows.labels).mean())
