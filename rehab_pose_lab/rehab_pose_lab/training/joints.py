"""Train the joint network on rendered people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from rehab_pose.body.loader import load_body_model
from rehab_pose.joints.crop import CROP_PX, CROP_SIDE_M, DEPTH_SCALE_M, INPUT_NAME
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.training.joint_network import JointNetwork
from rehab_pose_lab.training.loop import LoopSettings, export_onnx, train
from rehab_pose_lab.training.random_poses import PoseSampler
from rehab_pose_lab.training.scenes import SceneSampler
from rehab_pose_lab.training.shards import load_shards, make_shards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from rehab_pose_lab.training.shards import Sample

__all__ = ["evaluate_joints", "make_joint_samples", "train_joints"]

NO_RETURN = -32768
"""Stored integer of a pixel without return."""
DEPTH_STEPS = 20000.0
"""Stored integers per unit of relative depth."""
MIN_LOG_SCALE = -5.5
"""Lower limit of the predicted error scale, exp(-5.5) = 4 mm: about the sensor's noise."""


def make_joint_samples(folder: Path, count: int, seed: int, library_rad: NDArray[np.float64] | None) -> None:
    """Render `count` samples into a folder."""
    model = load_body_model()

    def sampler(random: np.random.Generator) -> Callable[[], Sample]:
        scenes = SceneSampler(random, model, PoseSampler(random, library_rad))

        def draw() -> Sample:
            sample = scenes.joint_sample()
            relative, measured = sample.crop.encoded
            packed = np.where(measured > 0, np.rint(relative * DEPTH_STEPS), NO_RETURN).astype(np.int16)
            target = np.concatenate([sample.fractions, sample.relative_depth[:, None]], axis=1)
            return {"packed": packed, "target": target.astype(np.float32)}

        return draw

    make_shards(folder, count, seed, sampler)


def _unpack(packed: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return the network's inputs (B, 2, H, W): relative depth, and 1 where there is a return."""
    measured = packed != NO_RETURN
    relative = np.where(measured, packed / np.float32(DEPTH_STEPS), np.float32(0.0))
    return np.stack([relative, measured.astype(np.float32)], axis=1).astype(np.float32)


def _metres(target: torch.Tensor) -> torch.Tensor:
    """Return crop coordinates (..., 3) as metres at the crop's centre depth."""
    scale = torch.tensor([CROP_SIDE_M, CROP_SIDE_M, DEPTH_SCALE_M])
    metres: torch.Tensor = target * scale
    return metres


def train_joints(samples: Path, count: int, output: Path, settings: LoopSettings, seed: int) -> float:
    """Train on rendered samples, write `output`/joints.onnx and return the final loss."""
    torch.manual_seed(seed)
    data = load_shards(samples, count)
    packed, target = data["packed"], data["target"]
    network = JointNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def batches(first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        random = np.random.default_rng((seed, first_step))
        while True:
            chosen = random.integers(len(packed), size=settings.batch_size)
            crop, wanted = packed[chosen], target[chosen]
            if random.random() < 0.5:
                # A mirrored crop shows a person with left and right joints exchanged.
                crop = crop[:, :, ::-1]
                wanted = wanted[:, SMPL_24.mirror].copy()
                wanted[..., 0] = 1.0 - wanted[..., 0]
            yield torch.from_numpy(_unpack(np.ascontiguousarray(crop))), torch.from_numpy(wanted)

    def loss(net: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        crops, wanted = batch
        with torch.autocast("cpu", torch.bfloat16):
            predicted = net(crops.to(memory_format=torch.channels_last))
        predicted = predicted.float()
        error = _metres(predicted[..., :3] - wanted)
        log_scale = predicted[..., 3].clamp(MIN_LOG_SCALE, 1.0)
        # Laplace likelihood of each coordinate with one scale per joint; the unscaled distance adds a gradient for
        # joints with a large scale.
        likelihood = error.abs().sum(dim=2) * torch.exp(-log_scale) / 3.0 + log_scale
        distance = error.square().sum(dim=2).add(1e-6).sqrt()
        total: torch.Tensor = likelihood.mean() + 10.0 * distance.mean()
        return total

    final = train(network, batches, loss, settings, output / "joints.checkpoint")
    metadata = {"samples": str(count), "steps": str(settings.steps), "seed": str(seed)}
    example = torch.zeros(1, 2, CROP_PX, CROP_PX)
    export_onnx(network, example, INPUT_NAME, output / "joints.onnx", metadata)
    return final


def evaluate_joints(samples: Path, count: int, weights: Path) -> dict[str, float]:
    """Return the joint errors on held-out samples [mm], at each crop's centre depth."""
    from rehab_pose.weights import load_network  # noqa: PLC0415  (keeps ONNX Runtime out of training)

    session = load_network(weights, (INPUT_NAME,)).session
    data = load_shards(samples, count)
    errors = []
    for packed, wanted in zip(data["packed"], data["target"], strict=True):
        output = session.run(None, {INPUT_NAME: _unpack(packed[None])})[0][0]
        error = (output[:, :3] - wanted) * np.array([CROP_SIDE_M, CROP_SIDE_M, DEPTH_SCALE_M])
        errors.append(np.linalg.norm(error, axis=1))
    error_mm = np.array(errors) * 1e3
    per_joint = {f"mm_{name}": float(value) for name, value in zip(SMPL_24.joint_names, error_mm.mean(0), strict=True)}
    return {
        "error_mm_mean": float(error_mm.mean()),
        "error_mm_p95": float(np.percentile(error_mm, 95)),
        "pck100": float((error_mm < 100.0).mean() * 100.0),
        **per_joint,
    }
