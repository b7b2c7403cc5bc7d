"""The fused Transformer (Eq 31-38) that corrects the joint network's logits: network, training and export."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.fused_features import FUSED_COUNT, FUSED_STREAMS, coverage, fused_features
from rehab_pose.exercise.fused_network import CORRECTION_LIMIT
from rehab_pose.exercise.network_metadata import input_metadata
from rehab_pose_lab.training.exercise_fit import write_window_network
from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings
from rehab_pose_lab.training.fusion_windows import draw_windows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.training.fusion_clips import FusionClip
    from rehab_pose_lab.training.fusion_windows import FusionWindows

__all__ = [
    "CorrectionNetwork",
    "CorrectionPlan",
    "JointLogits",
    "corrections_of",
    "export_correction",
    "fit_correction",
]

logger = logging.getLogger(__name__)

SMOOTHING = 0.02
"""Label smoothing."""
MODESTY = 0.005
"""Weight of the mean square of the corrections in the loss, so that streams that tell nothing change nothing."""
SAVED_STEPS = 100
"""Steps between two checkpoints."""
SCALE_WINDOWS = 256
"""Windows from which mean and scale of the inputs are measured."""


class JointLogits(Protocol):
    """Answers of joint networks to windows."""

    def __call__(
        self, clips: NDArray[np.int64], features: NDArray[np.float32], present: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return calibrated logits (B, C) of a network that was not trained on the people of the windows.

        Args:
            clips: (B) index of each window's recording.
            features: (B, T, STREAM_COUNT).
            present: (B, T).
        """


@dataclass(frozen=True)
class CorrectionPlan:
    """Length, rates and sizes of a training."""

    steps: int = 600
    batch: int = 64
    learning_rate: float = 1.5e-3
    weight_decay: float = 0.1
    seed: int = 7
    threads: int = 1
    width: int = 96
    layers: int = 2
    dropout: float = 0.2


class CorrectionNetwork(nn.Module):
    """Features and presence of a window to what is added to the logits of all labels, before it is limited."""

    def __init__(self, plan: CorrectionPlan) -> None:
        super().__init__()
        settings = NetworkSettings(
            inputs=FUSED_COUNT, statistics=0, width=plan.width, layers=plan.layers, dropout=plan.dropout
        )
        self.network = ExerciseNetwork(settings)

    def forward(self, features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return (B, C) from features (B, T, FUSED_COUNT) and presence (B, T)."""
        logits: torch.Tensor = self.network(features, present)[0]
        return logits


def fit_correction(
    clips: Sequence[FusionClip], joint_logits: JointLogits, plan: CorrectionPlan, checkpoint: Path
) -> CorrectionNetwork:
    """Train, resuming from the checkpoint if there is one.

    Raises:
        RecordingError: The checkpoint was written with another plan.
    """
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    network = CorrectionNetwork(plan)
    optimizer = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.learning_rate, total_steps=plan.steps + 1)
    parts: dict[str, Any] = {"network": network, "optimizer": optimizer, "schedule": schedule}
    done = _resume(parts, plan, checkpoint)
    if not done:
        windows = draw_windows(clips, SCALE_WINDOWS, np.random.default_rng([plan.seed, plan.steps]))
        features, present = fused_features(windows.positions_m, windows.up, windows.findings)
        network.network.scale_to([(torch.from_numpy(features), torch.from_numpy(present))])
    network.train()
    losses = []
    with tqdm(range(done, plan.steps), desc=checkpoint.stem, mininterval=5.0) as bar:
        for step in bar:
            loss = _loss(
                network, draw_windows(clips, plan.batch, np.random.default_rng([plan.seed, step])), joint_logits
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
            bar.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}")
            if (step + 1) % SAVED_STEPS == 0 or step + 1 == plan.steps:
                _save(parts, plan, checkpoint, step + 1)
    return network.eval()


def corrections_of(
    network: CorrectionNetwork, windows: FusionWindows, joint_logits: JointLogits
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the logits of the joints (B, C), and what all streams add to them (B, C)."""
    features, present = fused_features(windows.positions_m, windows.up, windows.findings)
    base = joint_logits(windows.clips, features[..., : FUSED_STREAMS[0].size], present)
    with torch.no_grad():
        correction = _limited(network(torch.from_numpy(features), torch.from_numpy(present)))
    scaled = correction.numpy().astype(np.float64) * coverage(features, present)[:, None]
    return base.astype(np.float64), scaled


def export_correction(network: CorrectionNetwork, path: Path, metadata: dict[str, str]) -> None:
    """Write the network with the metadata that is needed to use it as one ONNX file.

    Args:
        network: Trained network.
        path: The file.
        metadata: Vertices, body model, people and data that it was trained on.
    """
    fixed = input_metadata(LABELS, "fused_streams", FUSED_STREAMS)
    write_window_network(network, FUSED_COUNT, ("correction",), path, fixed | metadata)


def _loss(network: CorrectionNetwork, windows: FusionWindows, joint_logits: JointLogits) -> torch.Tensor:
    features, present = fused_features(windows.positions_m, windows.up, windows.findings)
    base = torch.from_numpy(joint_logits(windows.clips, features[..., : FUSED_STREAMS[0].size], present))
    correction = _limited(network(torch.from_numpy(features), torch.from_numpy(present)))
    summed = base + correction * torch.from_numpy(coverage(features, present))[:, None]
    error = functional.cross_entropy(summed, torch.from_numpy(windows.labels), label_smoothing=SMOOTHING)
    return error + MODESTY * (correction**2).mean()


def _limited(raw: torch.Tensor) -> torch.Tensor:
    """Return values within +- CORRECTION_LIMIT, as the exercise stage does."""
    return CORRECTION_LIMIT * torch.tanh(raw / CORRECTION_LIMIT)


def _save(parts: dict[str, Any], plan: CorrectionPlan, path: Path, step: int) -> None:
    """Write the checkpoint; an interrupted write leaves the previous one unchanged."""
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**state, "step": step, "plan": asdict(plan)}, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)


def _resume(parts: dict[str, Any], plan: CorrectionPlan, path: Path) -> int:
    """Load a checkpoint, if there is one; return the number of steps done.

    Raises:
        RecordingError: It was written with another plan.
    """
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    if state["plan"] != asdict(plan):
        msg = f"{path}: written with {state['plan']}, asked to resume with {asdict(plan)}; use the same plan"
        raise RecordingError(msg)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return int(state["step"])
