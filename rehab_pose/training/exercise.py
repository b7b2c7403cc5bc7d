"""Train the exercise recogniser: windows of public recordings to an ONNX file with everything needed to run it."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import EXERCISES, LABELS
from rehab_pose.exercise.features import FEATURE_COUNT, FEATURE_JOINTS, SAMPLE_RATE_HZ, WINDOW_SAMPLES
from rehab_pose.exercise.network import ExerciseNetwork
from rehab_pose.recordings.kimore import SUSPECT_CLIPS
from rehab_pose.training.exercise_clips import load_clips
from rehab_pose.training.exercise_scores import Judge, labelled_windows, none_scores, score_recordings
from rehab_pose.training.exercise_windows import Batch, WindowSampler, label_of, prepare
from rehab_pose.training.metrics import expected_calibration_error, fit_temperature
from rehab_pose.training.splits import by_subject, held_out_subjects

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.recordings.clip import Clip

__all__ = ["TrainingPlan", "export_onnx", "train"]

logger = logging.getLogger(__name__)

EXERCISE_WEIGHT = 0.3
"""Weight of the loss that asks for the recording's exercise also while nothing moves."""
SMOOTHING = 0.03
"""Label smoothing: the labels of whole recordings are not right for every window of them."""
AVERAGE_DECAY = 0.995
"""Decay a step of the averaged weights that are kept."""
GRADIENT_LIMIT = 1.0
FAMILIAR_SHARE = 0.01
"""This share of held-out windows is called out of distribution."""


@dataclass(frozen=True)
class TrainingPlan:
    """How long and on whom."""

    epochs: int = 15
    steps_per_epoch: int = 100
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    seed: int = 7
    held_out_share: float = 0.2
    """Part of the subjects that training never sees; 0 trains on everybody."""
    threads: int = 1


def _loss(network: ExerciseNetwork, batch: Batch) -> torch.Tensor:
    """Return cross-entropy over all labels, plus among the five for windows of an exercise recording."""
    logits = network(torch.from_numpy(batch.features), torch.from_numpy(batch.present))
    loss = functional.cross_entropy(logits, torch.from_numpy(batch.labels), label_smoothing=SMOOTHING)
    exercises = torch.from_numpy(batch.exercises)
    extra = functional.cross_entropy(logits[:, 1:], exercises, ignore_index=-1, label_smoothing=SMOOTHING)
    return loss + EXERCISE_WEIGHT * extra


def _judge(network: ExerciseNetwork) -> Judge:
    def judge(features: np.ndarray[Any, Any], present: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with torch.no_grad():
            logits: np.ndarray[Any, Any] = network(torch.from_numpy(features), torch.from_numpy(present)).numpy()
        return logits

    return judge


class _Run:
    """The state that a checkpoint holds."""

    def __init__(self, plan: TrainingPlan) -> None:
        torch.manual_seed(plan.seed)
        self.plan = plan
        self.network = ExerciseNetwork()
        self.average = ExerciseNetwork()
        self.average.load_state_dict(self.network.state_dict())
        self.average.eval()
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, plan.learning_rate, total_steps=plan.epochs * plan.steps_per_epoch + 1, pct_start=0.1
        )
        self.epoch = 0

    def step(self, batch: Batch) -> float:
        """Take one step and return its loss."""
        self.network.train()
        loss = _loss(self.network, batch)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_LIMIT)
        self.optimizer.step()
        self.schedule.step()
        with torch.no_grad():
            for kept, new in zip(self.average.parameters(), self.network.parameters(), strict=True):
                kept.lerp_(new, 1.0 - AVERAGE_DECAY)
        return float(loss.detach())

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


def train(
    data: Path, output: Path, plan: TrainingPlan, *, resume: bool = False, calibration: Path | None = None
) -> dict[str, Any]:
    """Train, measure on the subjects kept back, and write exercise.onnx, metrics.json and checkpoint.pt.

    Args:
        data: Folder with one folder a data set.
        output: Made if it is not there.
        plan: Sizes, seed and split.
        resume: Continue from the checkpoint in `output`.
        calibration: metrics.json of a run with subjects kept back, whose temperature and familiarity are used when
            this run keeps nobody back.

    Returns:
        What metrics.json holds.
    """
    torch.set_num_threads(plan.threads)
    output.mkdir(parents=True, exist_ok=True)
    clips = load_clips(data)
    held_out = held_out_subjects(clips, plan.held_out_share, plan.seed)
    training, testing = by_subject(clips, held_out)
    labelled = [(clip, label_of(clip)) for clip in training if clip.name not in SUSPECT_CLIPS]
    prepared = [prepare(clip, label) for clip, label in labelled if label is not None]
    sampler = WindowSampler([clip for clip in prepared if clip is not None])
    run = _Run(plan)
    checkpoint = output / "checkpoint.pt"
    if resume:
        run.resume(checkpoint)
    while run.epoch < plan.epochs:
        rng = np.random.default_rng([plan.seed, run.epoch])
        with tqdm(range(plan.steps_per_epoch), desc=f"epoch {run.epoch + 1}/{plan.epochs}", leave=False) as bar:
            losses = []
            for _ in bar:
                losses.append(run.step(sampler.draw(plan.batch, rng)))
                bar.set_postfix(loss=f"{np.mean(losses[-20:]):.3f}")
        run.epoch += 1
        run.save(checkpoint)
        logger.info("epoch %d: loss %.3f", run.epoch, np.mean(losses))
    facts = _measure(run.average, testing) if testing else _borrowed(calibration)
    facts |= {"held_out": sorted(f"{dataset}/{subject}" for dataset, subject in held_out), "plan": asdict(plan)}
    (output / "metrics.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    export_onnx(run.average, output / "exercise.onnx", facts)
    return facts


def _measure(network: ExerciseNetwork, clips: list[Clip]) -> dict[str, Any]:
    """Return accuracies, the temperature and the familiarity threshold on subjects that training never saw."""
    judge = _judge(network)
    score = score_recordings(judge, [clip for clip in clips if clip.dataset == "kimore"])
    logits, truths = labelled_windows(judge, [clip for clip in clips if clip.name not in SUSPECT_CLIPS])
    temperature = fit_temperature(logits, truths)
    scaled = logits / temperature
    energy = np.log(np.exp(scaled - scaled.max(-1, keepdims=True)).sum(-1)) + scaled.max(-1)
    probabilities = np.exp(scaled - energy[:, None])
    return {
        "recognition": asdict(score),
        "none": none_scores(logits, truths),
        "temperature": temperature,
        "calibration_error": expected_calibration_error(probabilities, truths),
        "familiar_energy": float(np.quantile(energy, FAMILIAR_SHARE)),
    }


def _borrowed(calibration: Path | None) -> dict[str, Any]:
    """Return temperature and familiarity of another run, or neutral ones."""
    if calibration is None:
        logger.warning("nobody was kept back and no calibration was given: confidences are as the network says them")
        return {"temperature": 1.0, "familiar_energy": -1e9}
    facts = json.loads(calibration.read_text(encoding="utf-8"))
    return {"temperature": facts["temperature"], "familiar_energy": facts["familiar_energy"]}


def export_onnx(network: ExerciseNetwork, path: Path, facts: dict[str, Any]) -> None:
    """Write the network and what is needed to use it as one ONNX file."""
    import onnx  # noqa: PLC0415  (only to write the file)

    network.eval()
    batch = torch.export.Dim("batch", min=1, max=1024)
    example = (torch.zeros(2, WINDOW_SAMPLES, FEATURE_COUNT), torch.ones(2, WINDOW_SAMPLES))
    torch.onnx.export(
        network,
        example,
        str(path),
        input_names=["features", "present"],
        output_names=["logits"],
        dynamic_shapes={"features": {0: batch}, "present": {0: batch}},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    model = onnx.load(str(path))
    metadata = {
        "labels": ",".join(LABELS),
        "exercises": ",".join(EXERCISES),
        "joints": ",".join(FEATURE_JOINTS),
        "sample_rate_hz": str(SAMPLE_RATE_HZ),
        "temperature": repr(facts["temperature"]),
        "familiar_energy": repr(facts["familiar_energy"]),
    }
    onnx.helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
