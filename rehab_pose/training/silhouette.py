"""Train the silhouette network on rendered rooms with people in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from rehab_pose.body.loader import load_body_model
from rehab_pose.silhouette.build import INPUT_NAME
from rehab_pose.silhouette.encoding import DEPTH_CENTRE_M, DEPTH_SCALE_M, INPUT_HEIGHT_PX, INPUT_WIDTH_PX
from rehab_pose.silhouette.network import SilhouetteNetwork
from rehab_pose.training.loop import LoopSettings, export_onnx, train
from rehab_pose.training.postures import PostureSampler
from rehab_pose.training.scenes import SceneSampler
from rehab_pose.training.shards import load_shards, make_shards

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from rehab_pose.training.shards import Sample

__all__ = ["evaluate_silhouette", "make_silhouette_samples", "train_silhouette"]

MM_PER_M = 1000.0
PERSON_BIT = 1 << 15
"""A sample packs depth [mm] in 15 bits and the truth in the sixteenth."""
BORDER_WEIGHT = 3.0
"""Pixels within two of the outline count this many times: they are few and they decide the shape."""


def make_silhouette_samples(folder: Path, count: int, seed: int, library_rad: NDArray[np.float64] | None) -> None:
    """Render `count` samples into a folder."""
    model = load_body_model()

    def sampler(random: np.random.Generator) -> Callable[[], Sample]:
        scenes = SceneSampler(random, model, PostureSampler(random, library_rad))

        def draw() -> Sample:
            depth_m, people = scenes.silhouette_sample()
            millimetres = np.nan_to_num(depth_m * MM_PER_M, nan=0.0).astype(np.uint16)
            return {"packed": millimetres | (people * np.uint16(PERSON_BIT))}

        return draw

    make_shards(folder, count, seed, sampler)


def _unpack(packed: NDArray[np.uint16]) -> tuple[torch.Tensor, torch.Tensor]:
    people = packed >= PERSON_BIT
    millimetres = packed & np.uint16(PERSON_BIT - 1)
    seen = millimetres > 0
    scaled = (millimetres / np.float32(MM_PER_M) - np.float32(DEPTH_CENTRE_M)) / np.float32(DEPTH_SCALE_M)
    depth = np.stack([np.where(seen, scaled, 0.0), seen], axis=1).astype(np.float32)
    return torch.from_numpy(depth), torch.from_numpy(people[:, None].astype(np.float32))


def train_silhouette(samples: Path, count: int, output: Path, settings: LoopSettings, seed: int) -> float:
    """Train on samples made before and write `output`/silhouette.onnx; return the final loss."""
    torch.manual_seed(seed)
    packed = load_shards(samples, count)["packed"]
    network = SilhouetteNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def batches(first_step: int) -> Iterator[tuple[torch.Tensor, ...]]:
        random = np.random.default_rng((seed, first_step))
        while True:
            chosen = packed[random.integers(len(packed), size=settings.batch_size)]
            if random.random() < 0.5:
                chosen = np.ascontiguousarray(chosen[:, :, ::-1])
            yield _unpack(chosen)

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
    example = torch.zeros(1, 2, INPUT_HEIGHT_PX, INPUT_WIDTH_PX)
    metadata = {"samples": str(count), "steps": str(settings.steps), "seed": str(seed)}
    export_onnx(network, example, INPUT_NAME, output / "silhouette.onnx", metadata)
    return final


def evaluate_silhouette(samples: Path, count: int, weights: Path) -> dict[str, float]:
    """Return intersection over union on samples that were not trained on (median, 5th percentile)."""
    from rehab_pose.weights import load_network  # noqa: PLC0415  (keeps ONNX Runtime out of training)

    session = load_network(weights, (INPUT_NAME,)).session
    packed = load_shards(samples, count)["packed"]
    overlaps = []
    for row in packed:
        depth, people = _unpack(row[None])
        inside = session.run(None, {INPUT_NAME: depth.numpy()})[0] > 0
        truth = people.numpy() > 0.5
        union = np.count_nonzero(inside | truth)
        if np.count_nonzero(truth) > 50:
            overlaps.append(np.count_nonzero(inside & truth) / union)
    return {"iou_median": float(np.median(overlaps)), "iou_p5": float(np.percentile(overlaps, 5))}
