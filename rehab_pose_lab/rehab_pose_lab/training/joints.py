"""Train the joint network on rendered people, and on real ones in front of a Kinect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from rehab_pose.joints.crop import CHANNELS, CROP_PX, CROP_SIDE_M, DEPTH_SCALE_M, INPUT_NAME, crop_box
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.training.joint_network import JointNetwork
from rehab_pose_lab.training.joint_samples import DEPTH_STEPS, HEIGHT_STEPS, NO_RETURN
from rehab_pose_lab.training.loop import LoopSettings, export_onnx, train
from rehab_pose_lab.training.sample_store import SampleStore
from rehab_pose_lab.training.shards import load_shards
from rehab_pose_lab.training.warm_start import start_from_export

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_lab.training.person_frames import PersonFrames
    from rehab_pose_lab.training.shards import Sample

__all__ = ["TrainedJoints", "evaluate_joints", "evaluate_real_joints", "export_joints", "train_joints"]

MIN_LOG_SCALE = -5.5
"""Lower limit of the predicted error scale, exp(-5.5) = 4 mm: about the sensor's noise."""
REAL_FRACTION = 0.2
"""Fraction of each batch that shows real people, where there are any."""
REFRESH_STEPS = 100
"""Steps between two looks for newly rendered samples."""
MIN_SAMPLES = 20_000
"""Number of samples from which the training begins while more are being rendered."""
CONFIDENT_90 = 2.303
"""Half the width of the interval that holds 90 % of a Laplace distribution, in scales: ln 10."""


class KinectOffsets(nn.Module):
    """Constant distances of the Kinect's joints from SMPL's, in the crop's axes, equal on both sides."""

    def __init__(self) -> None:
        super().__init__()
        self.offsets_m = nn.Parameter(torch.zeros(len(SMPL_24), 3))
        """(24, 3) [m]."""

    def forward(self) -> torch.Tensor:
        """Return the offsets (24, 3) [m], symmetrical in left and right."""
        side = torch.tensor([-1.0, 1.0, 1.0], device=self.offsets_m.device)
        return 0.5 * (self.offsets_m + self.offsets_m[list(SMPL_24.mirror)] * side)


class TrainedJoints(nn.Module):
    """The network and what is learnt beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.network = JointNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.kinect = KinectOffsets()

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Return the network's output (B, 24, 4) of crops (B, 3, 128, 128)."""
        output: torch.Tensor = self.network(crops)
        return output


def unpacked(packed: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
    """Return the network's inputs (B, 3, H, W) of stored depth (B, H, W) and height (B, H, W)."""
    measured = packed != NO_RETURN
    relative = torch.where(measured, packed.float() / DEPTH_STEPS, 0.0)
    return torch.stack([relative, measured.float(), height.float() / HEIGHT_STEPS], dim=1)


def _mirrored(
    batch: Mapping[str, torch.Tensor], random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return packed depth, height and target; in a random half left and right are exchanged, image and joints."""
    packed, height, target = batch["packed"], batch["height"], batch["target"]
    flip = torch.from_numpy(random.random(len(packed)) < 0.5).to(packed.device)
    other = target[:, list(SMPL_24.mirror)] * torch.tensor([-1.0, 1.0, 1.0], device=target.device)
    other = other + torch.tensor([1.0, 0.0, 0.0], device=target.device)
    image = flip[:, None, None]
    return (
        torch.where(image, packed.flip(-1), packed),
        torch.where(image, height.flip(-1), height),
        torch.where(image, other, target),
    )


def _batches(
    rendered: SampleStore, real: SampleStore | None, batch_size: int, seed: int, *, with_offsets: bool
) -> Callable[[int], Iterator[tuple[torch.Tensor, ...]]]:
    """Return the batches of `train`: crops (B, 3, H, W), targets (B, 24, 3), and 1 where offsets apply (B)."""

    def batches(first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        random = np.random.default_rng((seed, first_step))
        real_count = 0 if real is None else round(REAL_FRACTION * batch_size)
        step = first_step
        while True:
            if step % REFRESH_STEPS == 0:
                rendered.load_new()
            batch = rendered.draw(batch_size - real_count, random)
            offset = torch.zeros(batch_size, device=batch["packed"].device)
            if real is not None:
                other = real.draw(real_count, random)
                batch = {name: torch.cat([values, other[name]]) for name, values in batch.items()}
                offset[batch_size - real_count :] = float(with_offsets)
            packed, height, target = _mirrored(batch, random)
            yield unpacked(packed, height), target, offset
            step += 1

    return batches


def joint_loss(net: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Return the loss of a batch of `_batches`; joints without a target (NaN) do not count."""
    crops, wanted, offset = batch
    known = torch.isfinite(wanted).all(dim=2)
    with torch.autocast(crops.device.type, torch.bfloat16):
        predicted = net(crops.contiguous(memory_format=torch.channels_last))
    predicted = predicted.float()
    metres = torch.tensor([CROP_SIDE_M, CROP_SIDE_M, DEPTH_SCALE_M], device=crops.device)
    error = (predicted[..., :3] - torch.nan_to_num(wanted)) * metres
    if isinstance(net, TrainedJoints):
        error = error + offset[:, None, None] * net.kinect()
    log_scale = predicted[..., 3].clamp(MIN_LOG_SCALE, 1.0)
    # Laplace likelihood of each coordinate with one scale per joint; the unscaled distance adds a gradient for joints
    # with a large scale.
    likelihood = error.abs().sum(dim=2) * torch.exp(-log_scale) / 3.0 + log_scale
    distance = error.square().sum(dim=2).add(1e-6).sqrt()
    total: torch.Tensor = ((likelihood + 10.0 * distance) * known).sum() / known.sum()
    return total


def train_joints(
    samples: Path,
    count: int,
    output: Path,
    settings: LoopSettings,
    seed: int,
    *,
    real: tuple[Path, int] | None = None,
    with_offsets: bool = True,
) -> float:
    """Train, write `output`/joints.onnx and return the final loss.

    Args:
        samples: Folder of rendered samples; they may still be being rendered.
        count: Their number.
        output: Folder for weights and checkpoint.
        settings: Length and rates.
        seed: Of the weights and the batches.
        real: Folder and number of the samples of real people.
        with_offsets: The joints of the real people are a Kinect's, whose constant offsets are learnt.
    """
    torch.manual_seed(seed)
    rendered = SampleStore(samples, count, settings.device)
    rendered.wait_for(MIN_SAMPLES)
    store = None
    if real is not None:
        store = SampleStore(*real, settings.device)
        store.wait_for(real[1])
    trained = TrainedJoints()
    batches = _batches(rendered, store, settings.batch_size, seed, with_offsets=with_offsets)
    if settings.start is not None and settings.start.suffix == ".onnx":
        # Exported weights contain the network alone, without what is learnt beside it.
        start_from_export(trained.network, settings.start, next(batches(0))[0].cpu())
        settings = replace(settings, start=None)
    final = train(trained, batches, joint_loss, settings, output / "joints.checkpoint")
    metadata = {
        "samples": str(len(rendered)),
        "real_samples": str(0 if store is None else len(store)),
        "steps": str(settings.steps),
        "seed": str(seed),
    }
    export_joints(trained, output / "joints.onnx", metadata)
    return final


def export_joints(trained: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the network of a training as ONNX."""
    network = trained.network if isinstance(trained, TrainedJoints) else trained
    export_onnx(network, torch.zeros(1, CHANNELS, CROP_PX, CROP_PX), INPUT_NAME, path, metadata)


def _predictions(data: Sample, weights: Path) -> NDArray[np.float64]:
    """Return the output (N, 24, 4) of exported weights for stored samples."""
    from rehab_pose.weights import load_network  # noqa: PLC0415  (keeps ONNX Runtime out of training)

    session = load_network(weights, (INPUT_NAME,)).session
    outputs = []
    for packed, height in zip(data["packed"], data["height"], strict=True):
        crop = unpacked(torch.from_numpy(packed[None]), torch.from_numpy(height[None]))
        outputs.append(session.run(None, {INPUT_NAME: crop.numpy()})[0][0])
    return np.array(outputs, dtype=np.float64)


def evaluate_joints(samples: Path, count: int, weights: Path) -> dict[str, float]:
    """Return the joint errors on held-out rendered samples [mm], at each crop's centre depth."""
    data = load_shards(samples, count)
    output = _predictions(data, weights)
    error = (output[..., :3] - data["target"]) * [CROP_SIDE_M, CROP_SIDE_M, DEPTH_SCALE_M]
    error_mm = np.linalg.norm(error, axis=2) * 1e3
    per_joint = {f"mm_{name}": float(value) for name, value in zip(SMPL_24.joint_names, error_mm.mean(0), strict=True)}
    return {
        "error_mm_mean": float(error_mm.mean()),
        "error_mm_median": float(np.median(error_mm)),
        "error_mm_p95": float(np.percentile(error_mm, 95)),
        "pck100": float((error_mm < 100.0).mean() * 100.0),
        "cover90_pct": _covered_pct(error, output[..., 3]),
        **per_joint,
    }


def evaluate_real_joints(frames: PersonFrames, weights: Path) -> dict[str, float]:
    """Return the joint errors on frames of real people, without the mean offset of each joint [mm]."""
    from rehab_pose.weights import load_network  # noqa: PLC0415  (keeps ONNX Runtime out of training)

    session = load_network(weights, (INPUT_NAME,)).session
    errors, scales = [], []
    for index in range(len(frames)):
        camera = frames.intrinsics(index)
        whole = (0, 0, camera.width_px, camera.height_px)
        crop = crop_box(frames.image_m(index), whole, camera, frames.up[index])
        if crop is None:
            continue
        output = session.run(None, {INPUT_NAME: crop.encoded[None]})[0][0].astype(np.float64)
        errors.append(crop.points_m(output[:, :2], output[:, 2], camera) - frames.joints_m[index])
        scales.append(output[:, 3])
    error, scale = np.array(errors), np.array(scales)
    known = np.isfinite(error).any(axis=(0, 2))
    error[:, known] -= np.nanmean(error[:, known], axis=0)
    error_mm = np.linalg.norm(error, axis=2) * 1e3

    def mean_mm(name: str) -> float:
        return float(np.nanmean(error_mm[:, [SMPL_24.index(f"{side}_{name}") for side in ("left", "right")]]))

    return {
        "real_mm_mean": float(np.nanmean(error_mm[:, known])),
        **{f"real_mm_{name}": mean_mm(name) for name in ("shoulder", "elbow", "wrist", "hand", "knee", "ankle")},
        "real_cover90_pct": _covered_pct(error, scale),
        "real_sigma_mm": float(np.mean(np.sqrt(2.0) * np.exp(scale[:, known]))) * 1e3,
    }


def _covered_pct(error_m: NDArray[np.float64], log_scale: NDArray[np.float64]) -> float:
    """Return the share of coordinates (..., J, 3) inside the interval that shall hold 90 % [%]."""
    known = np.isfinite(error_m)
    inside = np.abs(error_m) < CONFIDENT_90 * np.exp(log_scale)[..., None]
    return float(inside[known].mean() * 100.0)
