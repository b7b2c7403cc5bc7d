"""Training loop of the perception networks with progress, checkpoints and resuming, and their export to ONNX."""

from __future__ import annotations

import copy
import logging
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm

from rehab_pose.errors import ModelFileError
from rehab_pose_lab.training.warm_start import start_from_export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from torch import nn

__all__ = ["LoopSettings", "export_onnx", "train"]

logger = logging.getLogger(__name__)

Batch = tuple[torch.Tensor, ...]

MIN_RATE = 0.02
"""Final learning rate as a fraction of the initial one."""
MAX_GRADIENT_NORM = 5.0
"""Longer gradients are scaled down to this."""


@dataclass(frozen=True)
class LoopSettings:
    """Length and rates of a training."""

    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 1e-4
    warm_up_steps: int = 200
    checkpoint_every: int = 500
    threads: int = 1
    device: str = "cpu"
    """Name of torch's device."""
    time_limit_s: float = math.inf
    """The training ends after this time at the latest, and its rates fall accordingly [s]."""
    start: Path | None = None
    """Checkpoint or exported .onnx whose weights the network starts from; rates and steps begin at the start."""


def train(
    network: nn.Module,
    batches: Callable[[int], Iterator[Batch]],
    loss: Callable[[nn.Module, Batch], torch.Tensor],
    settings: LoopSettings,
    checkpoint: Path,
) -> float:
    """Train a network, resuming from the checkpoint if there is one; return the mean loss of the last 200 steps.

    Args:
        network: Trained in place.
        batches: Returns an endless iterator of batches, given the first step.
        loss: Scalar loss of a batch.
        settings: Steps and rates.
        checkpoint: File to save to and resume from.

    Raises:
        ModelFileError: The checkpoint belongs to another network.
    """
    torch.set_num_threads(settings.threads)
    begin_s = time.monotonic()
    network.to(settings.device)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, begin_s, settings))
    if settings.start is not None and not checkpoint.is_file():
        if settings.start.suffix == ".onnx":
            start_from_export(network, settings.start, next(batches(0))[0])
        else:
            _load_network(network, torch.load(settings.start, weights_only=True), settings.start)
    first = _resume(network, optimizer, schedule, checkpoint)
    network.train()
    recent: list[torch.Tensor] = []
    progress = tqdm(total=settings.steps, initial=first, unit="step", mininterval=5.0)
    stream = batches(first)
    for step in range(first, settings.steps):
        is_last = step + 1 == settings.steps or time.monotonic() - begin_s > settings.time_limit_s
        optimizer.zero_grad(set_to_none=True)
        value = loss(network, next(stream))
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()
        schedule.step()
        recent = [*recent[-199:], value.detach()]
        progress.update()
        if step % 50 == 0:
            progress.set_postfix(loss=f"{float(torch.stack(recent).mean()):.4f}")
        if (step + 1) % settings.checkpoint_every == 0 or is_last:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
            state = {
                "step": step + 1,
                "network": network.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
            }
            temporary = checkpoint.with_suffix(".part")
            torch.save(state, temporary)
            temporary.replace(checkpoint)
        if is_last:
            break
    progress.close()
    return float(torch.stack(recent).mean()) if recent else 0.0


def _rate(step: int, begin_s: float, settings: LoopSettings) -> float:
    """Return the factor of the learning rate: linear warm-up, then half a cosine down to MIN_RATE.

    The cosine follows the steps or the time since the begin, whichever is nearer to its end.
    """
    if step < settings.warm_up_steps:
        return (step + 1) / settings.warm_up_steps
    done = (step - settings.warm_up_steps) / max(settings.steps - settings.warm_up_steps, 1)
    done = max(done, (time.monotonic() - begin_s) / settings.time_limit_s)
    return MIN_RATE + (1.0 - MIN_RATE) * 0.5 * (1.0 + math.cos(math.pi * min(done, 1.0)))


def _resume(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    checkpoint: Path,
) -> int:
    if not checkpoint.is_file():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    _load_network(network, state, checkpoint)
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    logger.info("resuming %s at step %d", checkpoint, state["step"])
    return int(state["step"])


def _load_network(network: nn.Module, state: Mapping[str, Any], path: Path) -> None:
    try:
        network.load_state_dict(state["network"])
    except RuntimeError as error:
        msg = f"{path} belongs to another network: {error}; delete it to start from the beginning"
        raise ModelFileError(msg) from error


def export_onnx(
    network: nn.Module, example: torch.Tensor, input_name: str, path: Path, metadata: Mapping[str, str]
) -> None:
    """Write the network as ONNX for batches of one, with metadata, and check that the file is valid."""
    import onnx  # noqa: PLC0415  (only an export needs it)

    network = copy.deepcopy(network).cpu().eval()
    program = torch.onnx.export(
        network, (example,), input_names=[input_name], output_names=["output"], dynamo=True, verbose=False
    )
    if program is None:
        msg = "torch.onnx.export returned no program; this torch version differs from the pinned one"
        raise ModelFileError(msg)
    path.parent.mkdir(parents=True, exist_ok=True)
    model = program.model_proto
    for name, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, value
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
