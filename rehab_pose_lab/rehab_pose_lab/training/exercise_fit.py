"""Fit the recogniser's network to windows, with checkpoints, and export it to ONNX."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.feature_streams import STREAM_COUNT, STREAMS
from rehab_pose.exercise.network_metadata import INPUT_NAMES, input_metadata
from rehab_pose.exercise.window_features import WINDOW_SAMPLES
from rehab_pose_lab.training.exercise_network import ExerciseNetwork, ExportedNetwork, NetworkSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import nn

    from rehab_pose_lab.training.exercise_windows import Batch, WindowSampler

__all__ = ["TrainingPlan", "TrainingRun", "export_onnx", "fit", "predictor_of", "write_window_network"]

logger = logging.getLogger(__name__)

SMOOTHING = 0.05
"""Label smoothing: the label of a recording is not correct for every window of it."""
AVERAGE_DECAY = 0.99
"""Decay per step of the exponential average of the weights, which is the result of the training."""
MAX_GRADIENT_NORM = 1.0
"""Longer gradients are scaled down to this, for each member of the ensemble."""
SCALE_BATCHES = 4
"""Number of batches from which mean and scale of the inputs are measured."""
MOVEMENT_WEIGHT = 0.3
"""Weight of the cross-entropy of all sets' movements; chosen by hand, below that of the labels."""
NO_LABEL = -1
"""Windows without a label are left out of the loss."""


@dataclass(frozen=True)
class TrainingPlan:
    """Length, rates and sizes of a training."""

    epochs: int = 12
    steps_per_epoch: int = 100
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    seed: int = 7
    threads: int = 1
    network: NetworkSettings = field(default_factory=NetworkSettings)


def _has_bfloat16() -> bool:
    """Return whether the processor computes in bfloat16."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001  (torch has no public name for it)


def _loss(network: ExerciseNetwork, batch: Batch) -> torch.Tensor:
    """Return the sum over the members of their cross-entropies: all labels, among the exercises, and movements."""
    outputs = network.members(torch.from_numpy(batch.features), torch.from_numpy(batch.present))
    classes, count = network.settings.classes, outputs.shape[0]
    total = torch.zeros(())
    truths = (
        (batch.labels, outputs[..., :classes], 1.0),
        (batch.exercises, outputs[..., classes : 2 * classes - 1], 1.0),
        (batch.movements, outputs[..., 2 * classes - 1 :], MOVEMENT_WEIGHT),
    )
    for truth, logits, weight in truths:
        if logits.shape[-1] and (truth != NO_LABEL).any():
            target = torch.from_numpy(truth).repeat(count)
            mean = functional.cross_entropy(
                logits.reshape(-1, logits.shape[-1]).float(), target, ignore_index=NO_LABEL, label_smoothing=SMOOTHING
            )
            total = total + weight * count * mean
    return total


def predictor_of(network: ExerciseNetwork, *, live: bool) -> Callable[[Any, Any], np.ndarray[Any, Any]]:
    """Return a predictor of logits from features and presence: of all labels if `live`, else among the exercises."""

    def predict(features: np.ndarray[Any, Any], present: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with torch.no_grad():
            outputs = network(torch.from_numpy(features), torch.from_numpy(present))
        logits: np.ndarray[Any, Any] = outputs[0 if live else 1].numpy()
        return logits

    return predict


class TrainingRun:
    """State of a training, as stored in a checkpoint."""

    def __init__(self, plan: TrainingPlan) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.network = ExerciseNetwork(plan.network)
        self.average = ExerciseNetwork(plan.network)
        self.average.load_state_dict(self.network.state_dict())
        self.average.eval()
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, plan.learning_rate, total_steps=plan.epochs * plan.steps_per_epoch + 1, pct_start=0.1
        )
        self.epoch = 0

    def scale_to(self, sampler: WindowSampler) -> None:
        """Set mean and scale of the inputs from some batches."""
        rng = np.random.default_rng([self.plan.seed, self.plan.epochs])
        batches = [sampler.draw(self.plan.batch, rng) for _ in range(SCALE_BATCHES)]
        samples = [(torch.from_numpy(batch.features), torch.from_numpy(batch.present)) for batch in batches]
        for network in (self.network, self.average):
            network.scale_to(samples)

    def step(self, batch: Batch) -> float:
        """Take one step and return its loss per member."""
        self.network.train()
        # Where the processor computes in bfloat16 this is a third faster, elsewhere six times slower.
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=_has_bfloat16()):  # the weights stay single
            loss = _loss(self.network, batch)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), MAX_GRADIENT_NORM * self._members)
        self.optimizer.step()
        self.schedule.step()
        with torch.no_grad():
            for average, current in zip(self.average.parameters(), self.network.parameters(), strict=True):
                average.lerp_(current, 1.0 - AVERAGE_DECAY)
        return float(loss.detach()) / self._members

    @property
    def _members(self) -> int:
        return self.plan.network.encoders + self.plan.network.statistics

    def save(self, path: Path) -> None:
        """Write the checkpoint; an interrupted write leaves the previous one unchanged."""
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer", "schedule")}
        torch.save({**parts, "epoch": self.epoch, "plan": asdict(self.plan)}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint.

        Raises:
            RecordingError: It was written with another plan.
        """
        state = torch.load(path, weights_only=True)
        if state["plan"] != asdict(self.plan):
            msg = f"{path}: written with {state['plan']}, asked to resume with {asdict(self.plan)}; use the same plan"
            raise RecordingError(msg)
        for name in ("network", "average", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.epoch = state["epoch"]


def fit(sampler: WindowSampler, plan: TrainingPlan, checkpoint: Path, name: str) -> ExerciseNetwork:
    """Train, resuming from the checkpoint if there is one; return the network with averaged weights."""
    torch.set_num_threads(plan.threads)
    run = TrainingRun(plan)
    if checkpoint.is_file():
        run.resume(checkpoint)
    else:
        run.scale_to(sampler)
    while run.epoch < plan.epochs:
        rng = np.random.default_rng([plan.seed, run.epoch])
        title = f"{name}: {run.epoch + 1}/{plan.epochs}"
        with tqdm(range(plan.steps_per_epoch), desc=title, leave=False, mininterval=2.0) as bar:
            losses = []
            for _ in bar:
                losses.append(run.step(sampler.draw(plan.batch, rng)))
                bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
        run.epoch += 1
        run.save(checkpoint)
        logger.info("%s: epoch %d, loss %.3f", name, run.epoch, np.mean(losses))
    return run.average


def export_onnx(
    network: ExerciseNetwork,
    path: Path,
    labels: Sequence[str],
    extra: dict[str, str],
    subjects: Sequence[str] = (),
) -> None:
    """Write the network with the metadata that is needed to use it as one ONNX file.

    Args:
        network: Trained network.
        path: The file.
        labels: Its labels, `none` first.
        extra: Further metadata (dataset, temperature, familiar_energy, ...).
        subjects: People that it was trained on, as `set/person`.
    """
    metadata = input_metadata(labels, "streams", STREAMS) | {"subjects": ",".join(sorted(subjects))}
    outputs = ("logits", "exercise_logits", "embedding")
    write_window_network(ExportedNetwork(network), STREAM_COUNT, outputs, path, metadata | extra)


def write_window_network(
    network: nn.Module, inputs: int, outputs: Sequence[str], path: Path, metadata: dict[str, str]
) -> None:
    """Write a network of windows as one ONNX file for batches of any size.

    Args:
        network: Takes features (B, WINDOW_SAMPLES, inputs) and presence (B, WINDOW_SAMPLES).
        inputs: Number of features of a sample.
        outputs: Names of the network's outputs.
        path: The file.
        metadata: What is needed to use the network.
    """
    import onnx  # noqa: PLC0415  (only to write the file)

    for verbose in ("onnxscript", "onnx_ir", "torch.onnx"):  # hundreds of lines on how the graph was simplified
        logging.getLogger(verbose).setLevel(logging.WARNING)
    batch = torch.export.Dim("batch", min=1, max=4096)
    torch.onnx.export(
        network.eval(),
        (torch.zeros(2, WINDOW_SAMPLES, inputs), torch.ones(2, WINDOW_SAMPLES)),
        str(path),
        input_names=list(INPUT_NAMES),
        output_names=list(outputs),
        dynamic_shapes={name: {0: batch} for name in INPUT_NAMES},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    model = onnx.load(str(path))
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
