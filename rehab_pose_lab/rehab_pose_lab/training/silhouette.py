"""Train the silhouette network on rendered rooms with people in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from rehab_pose.silhouette.depth_encoding import (
    CHANNELS,
    COARSE_CENTRE_M,
    COARSE_REACH_M,
    DEPTH_CENTRE_M,
    DEPTH_SCALE_M,
    FINE_HEIGHT_M,
    INPUT_HEIGHT_PX,
    INPUT_NAME,
    INPUT_WIDTH_PX,
)
from rehab_pose_lab.training.loop import LoopSettings, export_onnx, train
from rehab_pose_lab.training.random_cameras import FOCAL_PX
from rehab_pose_lab.training.sample_store import SampleStore
from rehab_pose_lab.training.shards import load_shards
from rehab_pose_lab.training.silhouette_network import SilhouetteNetwork
from rehab_pose_lab.training.silhouette_samples import MM_PER_M, PERSON_BIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from torch import nn

__all__ = ["evaluate_silhouette", "train_silhouette"]

FLOOR_TILT_RAD, FLOOR_OFFSET_M = 0.006, 0.012
"""Standard deviation of a tracked floor's tilt [rad] and of its height at the camera [m]."""
WRONG_FLOOR_FRACTION, NO_FLOOR_FRACTION = 0.05, 0.2
"""Fraction of the images where a seat or a table was taken for the floor, and where no floor was found."""
REFRESH_STEPS = 100
"""Steps between two looks for newly rendered samples."""
MIN_SAMPLES = 10_000
"""Number of samples from which the training begins while more are being rendered."""
BORDER_WEIGHT = 3.0
"""Weight in the loss of the pixels within two of the outline: they are few and determine the shape."""


def _unpack(packed: torch.Tensor, height_of_depth: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the network's inputs (B, 4, H, W) as `encode_depth` makes them, and the ground truth (B, 1, H, W).

    Args:
        packed: (B, H, W) depth and ground truth as 16 bits in a signed integer.
        height_of_depth: (B, 4) as in `SilhouetteSample`; NaN: the floor is unknown.
    """
    people = packed < 0
    millimetres = packed.int() & (PERSON_BIT - 1)
    valid = millimetres > 0
    depth_m = millimetres.float() / MM_PER_M
    rows = torch.arange(packed.shape[1], device=packed.device, dtype=torch.float32)[:, None]
    columns = torch.arange(packed.shape[2], device=packed.device, dtype=torch.float32)[None, :]
    a, b, c, d = (height_of_depth[:, index, None, None] for index in range(4))
    height_m = depth_m * (a * columns + b * rows + c) + d
    known = valid & torch.isfinite(height_m)
    channels = [
        torch.where(valid, (depth_m - DEPTH_CENTRE_M) / DEPTH_SCALE_M, 0.0),
        valid.float(),
        torch.where(known, (height_m / FINE_HEIGHT_M).clamp(-1.0, 1.0), 0.0),
        torch.where(known, (height_m - COARSE_CENTRE_M).clamp(-COARSE_REACH_M, COARSE_REACH_M), 0.0),
    ]
    return torch.stack(channels, dim=1), people[:, None].float()


def _with_floor_errors(height_of_depth: torch.Tensor, random: np.random.Generator) -> torch.Tensor:
    """Return floors (B, 4) with the errors of a tracker: small ones, a seat's height, or no floor (NaN)."""
    count = len(height_of_depth)
    change = np.zeros((count, 4), dtype=np.float32)
    change[:, 0] = random.normal(0.0, FLOOR_TILT_RAD / FOCAL_PX, count)
    change[:, 2] = random.normal(0.0, FLOOR_TILT_RAD, count)
    change[:, 3] = random.normal(0.0, FLOOR_OFFSET_M, count)
    chance = random.random(count)
    wrong = chance < WRONG_FLOOR_FRACTION
    change[wrong, 3] += random.uniform(-0.5, 0.1, np.count_nonzero(wrong))
    change[(chance >= WRONG_FLOOR_FRACTION) & (chance < WRONG_FLOOR_FRACTION + NO_FLOOR_FRACTION)] = np.nan
    return height_of_depth + torch.from_numpy(change).to(height_of_depth.device)


def _mirrored(
    images: torch.Tensor, planes: torch.Tensor, random: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images (B, H, W) and floors (B, 4) of which a random half is mirrored."""
    flip = torch.from_numpy(random.random(len(images)) < 0.5).to(images.device)
    other = planes.clone()
    other[:, 2] += other[:, 0] * (images.shape[2] - 1)
    other[:, 0] *= -1.0
    return torch.where(flip[:, None, None], images.flip(-1), images), torch.where(flip[:, None], other, planes)


def silhouette_loss(net: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Return cross-entropy with the border counted more, plus Dice, of inputs and truth (B, 1, H, W)."""
    depth, people = batch
    with torch.autocast(depth.device.type, torch.bfloat16):
        logits = net(depth.contiguous(memory_format=torch.channels_last))
    logits = logits.float()
    border = functional.max_pool2d(people, 5, 1, 2) - (1.0 - functional.max_pool2d(1.0 - people, 5, 1, 2))
    weight = 1.0 + (BORDER_WEIGHT - 1.0) * border
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, people, weight=weight)
    probability = torch.sigmoid(logits)
    overlap = (probability * people).sum(dim=(1, 2, 3))
    total = (probability + people).sum(dim=(1, 2, 3))
    dice = 1.0 - (2.0 * overlap + 1.0) / (total + 1.0)
    loss: torch.Tensor = cross_entropy + dice.mean()
    return loss


def train_silhouette(samples: Path, count: int, output: Path, settings: LoopSettings, seed: int) -> float:
    """Train on rendered samples, write `output`/silhouette.onnx and return the final loss.

    Args:
        samples: Folder of rendered samples; they may still be being rendered.
        count: Their number.
        output: Folder for weights and checkpoint.
        settings: Length and rates.
        seed: Of the weights and the batches.
    """
    torch.manual_seed(seed)
    store = SampleStore(samples, count, settings.device)
    store.wait_for(MIN_SAMPLES)
    network = SilhouetteNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def batches(first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        random = np.random.default_rng((seed, first_step))
        step = first_step
        while True:
            if step % REFRESH_STEPS == 0:
                store.load_new()
            batch = store.draw(settings.batch_size, random)
            planes = _with_floor_errors(batch["height_of_depth"], random)
            yield _unpack(*_mirrored(batch["packed"], planes, random))
            step += 1

    final = train(network, batches, silhouette_loss, settings, output / "silhouette.checkpoint")
    metadata = {"samples": str(len(store)), "steps": str(settings.steps), "seed": str(seed)}
    export_silhouette(network, output / "silhouette.onnx", metadata)
    return final


def export_silhouette(network: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the network as ONNX."""
    export_onnx(network, torch.zeros(1, CHANNELS, INPUT_HEIGHT_PX, INPUT_WIDTH_PX), INPUT_NAME, path, metadata)


def evaluate_silhouette(samples: Path, count: int, weights: Path) -> dict[str, float]:
    """Return intersection over union on held-out samples: median and 5th percentile."""
    from rehab_pose.weights import load_network  # noqa: PLC0415  (keeps ONNX Runtime out of training)

    session = load_network(weights, (INPUT_NAME,)).session
    data = load_shards(samples, count)
    overlaps = []
    for row, plane in zip(data["packed"], data["height_of_depth"], strict=True):
        depth, people = _unpack(torch.from_numpy(row[None]), torch.from_numpy(plane[None]))
        inside = session.run(None, {INPUT_NAME: depth.numpy()})[0] > 0
        truth = people.numpy() > 0.5
        union = np.count_nonzero(inside | truth)
        if np.count_nonzero(truth) > 50:
            overlaps.append(np.count_nonzero(inside & truth) / union)
    return {"iou_median": float(np.median(overlaps)), "iou_p5": float(np.percentile(overlaps, 5))}
