"""Fit the recogniser's network to windows, with checkpoints, and write it as ONNX."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.features import FEATURE_JOINTS, SAMPLE_RATE_HZ, WINDOW_SAMPLES
from rehab_pose.exercise.streams import STREAM_COUNT, STREAMS
from rehab_pose_lab.training.exercise_network import ExerciseNetwork, NetworkSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rehab_pose_lab.training.exercise_windows import Batch, WindowSampler

__all__ = ["Run", "TrainingPlan", "export_onnx", "fit", "judge_of"]

logger = logging.getLogger(__name__)

SMOOTHING = 0.05
"""Label smoothing: the labels of whole recordings are not right for every window of them."""
AVERAGE_DECAY = 0.99
"""Decay a step of the averaged weights that are kept."""
GRADIENT_LIMIT = 1.0
SCALE_BATCHES = 4
"""Batches from which the inputs' centre and scale are taken."""
NOBODY = -1
"""No label: left out of the loss."""


@dataclass(frozen=True)
class TrainingPlan:
    """How long and with what."""

    epochs: int = 12
    steps_per_epoch: int = 100
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    seed: int = 7
    threads: int = 1
    network: NetworkSettings = field(default_factory=NetworkSettings)


def _loss(network: ExerciseNetwork, batch: Batch) -> torch.Tensor:
    """Return cross-entropy of every member by itself: over all labels, and among the exercises."""
    answers = network.members(torch.from_numpy(batch.features), torch.from_numpy(batch.present))
    classes, count = network.settings.classes, answers.shape[0]
    total = torch.zeros(())
    truths = ((batch.labels, answers[..., :classes]), (batch.exercises, answers[..., classes:]))
    for truth, logits in truths:
        if (truth != NOBODY).any():
            target = torch.from_numpy(truth).repeat(count)
            mean = functional.cross_entropy(
                logits.reshape(-1, logits.shape[-1]).float(), target, ignore_index=NOBODY, label_smoothing=SMOOTHING
            )
            total = total + count * mean
    return total


def judge_of(network: ExerciseNetwork, *, live: bool) -> Callable[[Any, Any], np.ndarray[Any, Any]]:
    """Return what makes logits of features and presence: of all labels if `live`, else among the exercises."""

    def judge(features: np.ndarray[Any, Any], present: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with torch.no_grad():
            answers = network(torch.from_numpy(features), torch.from_numpy(present))
        logits: np.ndarray[Any, Any] = answers[0 if live else 1].numpy()
        return logits

    return judge


class Run:
    """The state that a checkpoint holds."""

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
        """Take the inputs' centre and scale from a few batches."""
        rng = np.random.default_rng([self.plan.seed, self.plan.epochs])
        batches = [sampler.draw(self.plan.batch, rng) for _ in range(SCALE_BATCHES)]
        samples = [(torch.from_numpy(batch.features), torch.from_numpy(batch.present)) for batch in batches]
        for network in (self.network, self.average):
            network.scale_to(samples)

    def step(self, batch: Batch) -> float:
        """Take one step and return its loss, a member."""
        self.network.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):  # a third faster; the weights stay in single precision
            loss = _loss(self.network, batch)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_LIMIT * self._members)
        self.optimizer.step()
        self.schedule.step()
        with torch.no_grad():
            for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
                kept.lerp_(new, 1.0 - AVERAGE_DECAY)
        return float(loss.detach()) / self._members

    @property
    def _members(self) -> int:
        return self.plan.network.encoders + self.plan.network.statistics

    def save(self, path: Path) -> None:
        """Write the checkpoint; an interrupted write leaves the old one."""
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer", "schedule")}
        torch.save({**parts, "epoch": self.epoch, "plan": asdict(self.plan)}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def resume(self, path: Path) -> None:
        """Continue from a checkpoint.

        Raises:
            RecordingError: It was made with another plan.
        """
        state = torch.load(path, weights_only=True)
        if state["plan"] != asdict(self.plan):
            msg = f"{path}: made with {state['plan']}, asked to resume with {asdict(self.plan)}; use the same plan"
            raise RecordingError(msg)
        for name in ("network", "average", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(state[name])
        self.epoch = state["epoch"]


def fit(sampler: WindowSampler, plan: TrainingPlan, checkpoint: Path, name: str) -> ExerciseNetwork:
    """Train, going on from the checkpoint if there is one; return the averaged network."""
    torch.set_num_threads(plan.threads)
    run = Run(plan)
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


def export_onnx(network: ExerciseNetwork, path: Path, labels: Sequence[str], facts: dict[str, str]) -> None:
    """Write the network and what is needed to use it as one ONNX file.

    Args:
        network: Trained.
        path: The file.
        labels: With `none` first.
        facts: More of what the file should say about itself (dataset, temperature, familiar_energy, ...).
    """
    import onnx  # noqa: PLC0415  (only to write the file)

    for talkative in ("onnxscript", "onnx_ir", "torch.onnx"):  # hundreds of lines on how the graph was simplified
        logging.getLogger(talkative).setLevel(logging.WARNING)
    network.eval()
    batch = torch.export.Dim("batch", min=1, max=4096)
    example = (torch.zeros(2, WINDOW_SAMPLES, STREAM_COUNT), torch.ones(2, WINDOW_SAMPLES))
    torch.onnx.export(
        network,
        example,
        str(path),
        input_names=["features", "present"],
        output_names=["logits", "exercise_logits"],
        dynamic_shapes={"features": {0: batch}, "present": {0: batch}},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    model = onnx.load(str(path))
    metadata = {
        "labels": ",".join(labels),
        "joints": ",".join(FEATURE_JOINTS),
        "streams": ",".join(f"{stream.name}:{stream.size}" for stream in STREAMS),
        "sample_rate_hz": str(SAMPLE_RATE_HZ),
    }
    onnx.helper.set_model_props(model, metadata | facts)
    onnx.save(model, str(path))
