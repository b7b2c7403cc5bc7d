"""Train the silhouette network on rendered rooms with people in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from rehab_pose.body.loader import load_body_model
from rehab_pose.silhouette.depth_encoding import CHANNELS, INPUT_HEIGHT_PX, INPUT_NAME, INPUT_WIDTH_PX, encode_depth
from rehab_pose_lab.training.loop import LoopSettings, export_onnx, train
from rehab_pose_lab.training.random_poses import PoseSampler
from rehab_pose_lab.training.scenes import FOCAL_PX, SceneSampler
from rehab_pose_lab.training.shards import load_shards, make_shards
from rehab_pose_lab.training.silhouette_network import SilhouetteNetwork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from rehab_pose_lab.training.shards import Sample

__all__ = ["evaluate_silhouette", "make_silhouette_samples", "train_silhouette"]

MM_PER_M = 1000.0
PERSON_BIT = 1 << 15
"""A stored sample has the depth [mm] in 15 bits and the ground truth in the sixteenth."""
FLOOR_TILT_RAD, FLOOR_OFFSET_M = 0.006, 0.012
"""Standard deviation of a tracked floor's tilt [rad] and of its height at the camera [m]."""
WRONG_FLOOR_FRACTION, NO_FLOOR_FRACTION = 0.05, 0.2
"""Fraction of the images where a seat or a table was taken for the floor, and where no floor was found."""
BORDER_WEIGHT = 3.0
"""Weight in the loss of the pixels within two of the outline: they are few and determine the shape."""


def make_silhouette_samples(folder: Path, count: int, seed: int, library_rad: NDArray[np.float64] | None) -> None:
    """Render `count` samples into a folder."""
    model = load_body_model()

    def sampler(random: np.random.Generator) -> Callable[[], Sample]:
        scenes = SceneSampler(random, model, PoseSampler(random, library_rad))

        def draw() -> Sample:
            sample = scenes.silhouette_sample()
            millimetres = np.nan_to_num(sample.depth_m * MM_PER_M, nan=0.0).astype(np.uint16)
            packed = millimetres | (sample.people * np.uint16(PERSON_BIT))
            return {"packed": packed, "height_of_depth": sample.height_of_depth.astype(np.float32)}

        return draw

    make_shards(folder, count, seed, sampler)


def _unpack(packed: NDArray[np.uint16], height_of_depth: NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the network's inputs (B, 4, H, W) and the ground truth (B, 1, H, W).

    Args:
        packed: (B, H, W) depth and ground truth.
        height_of_depth: (B, 4) as in `SilhouetteSample`; NaN: the floor is unknown.
    """
    people = packed >= PERSON_BIT
    millimetres = packed & np.uint16(PERSON_BIT - 1)
    depth_m = np.where(millimetres > 0, millimetres / np.float32(MM_PER_M), np.float32(np.nan)).astype(np.float32)
    rows, columns = np.mgrid[0 : packed.shape[1], 0 : packed.shape[2]].astype(np.float32)
    encoded = []
    for depth, (a, b, c, d) in zip(depth_m, height_of_depth, strict=True):
        height_m = depth * (a * columns + b * rows + c) + d if np.isfinite(d) else None
        encoded.append(encode_depth(depth, height_m))
    return torch.from_numpy(np.stack(encoded)), torch.from_numpy(people[:, None].astype(np.float32))


def _with_floor_errors(height_of_depth: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return floors (B, 4) with the errors of a tracker: small ones, a seat's height, or no floor (NaN)."""
    count = len(height_of_depth)
    tilted = height_of_depth.copy()
    tilted[:, 0] += random.normal(0.0, FLOOR_TILT_RAD / FOCAL_PX, count)
    tilted[:, 2] += random.normal(0.0, FLOOR_TILT_RAD, count)
    tilted[:, 3] += random.normal(0.0, FLOOR_OFFSET_M, count)
    chance = random.random(count)
    wrong = chance < WRONG_FLOOR_FRACTION
    tilted[wrong, 3] += random.uniform(-0.5, 0.1, np.count_nonzero(wrong))
    tilted[(chance >= WRONG_FLOOR_FRACTION) & (chance < WRONG_FLOOR_FRACTION + NO_FLOOR_FRACTION)] = np.nan
    return tilted


def train_silhouette(samples: Path, count: int, output: Path, settings: LoopSettings, seed: int) -> float:
    """Train on rendered samples, write `output`/silhouette.onnx and return the final loss."""
    torch.manual_seed(seed)
    data = load_shards(samples, count)
    packed, floors = data["packed"], data["height_of_depth"]
    network = SilhouetteNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def batches(first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        random = np.random.default_rng((seed, first_step))
        while True:
            chosen = random.integers(len(packed), size=settings.batch_size)
            images, planes = packed[chosen], _with_floor_errors(floors[chosen], random)
            if random.random() < 0.5:
                images = np.ascontiguousarray(images[:, :, ::-1])
                planes[:, 2] += planes[:, 0] * (images.shape[2] - 1)
                planes[:, 0] *= -1.0
            yield _unpack(images, planes)

    def loss(net: nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        depth, people = batch
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(depth.to(memory_format=torch.channels_last))
        logits = logits.float()
        border = functional.max_pool2d(people, 5, 1, 2) - (1.0 - functional.max_pool2d(1.0 - people, 5, 1, 2))
        weight = 1.0 + (BORDER_WEIGHT - 1.0) * border
        cross_entropy = functional.binary_cross_entropy_with_logits(logits, people, weight=weight)
        probability = torch.sigmoid(logits)
        overlap = (probability * people).sum(dim=(1, 2, 3))
        total = (probability + people).sum(dim=(1, 2, 3))
        dice = 1.0 - (2.0 * overlap + 1.0) / (total + 1.0)
        return cross_entropy + dice.mean()

    final = train(network, batches, loss, settings, output / "silhouette.checkpoint")
    example = torch.zeros(1, CHANNELS, INPUT_HEIGHT_PX, INPUT_WIDTH_PX)
    metadata = {"samples": str(count), "steps": str(settings.steps), "seed": str(seed)}
    export_onnx(network, example, INPUT_NAME, output / "silhouette.onnx", metadata)
    return final


def evaluate_silhouette(samples: Path, count: int, weights: Path) -> dict[str, float]:
    """Return intersection over union on held-out samples: median and 5th percentile."""
    from rehab_pose.weights import load_network  # noqa: PLC0415  (keeps ONNX Runtime out of training)

    session = load_network(weights, (INPUT_NAME,)).session
    data = load_shards(samples, count)
    overlaps = []
    for row, plane in zip(data["packed"], data["height_of_depth"], strict=True):
        depth, people = _unpack(row[None], plane[None])
        inside = session.run(None, {INPUT_NAME: depth.numpy()})[0] > 0
        truth = people.numpy() > 0.5
        union = np.count_nonzero(inside | truth)
        if np.count_nonzero(truth) > 50:
            overlaps.append(np.count_nonzero(inside & truth) / union)
    return {"iou_median": float(np.median(overlaps)), "iou_p5": float(np.percentile(overlaps, 5))}
