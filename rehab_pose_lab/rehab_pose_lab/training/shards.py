"""Rendered samples on disk, in numbered shards, so that rendering can be interrupted and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["load_shards", "make_shards"]

SHARD_SAMPLES = 1000

Sample = dict[str, "NDArray[Any]"]


def make_shards(
    folder: Path, count: int, seed: int, sampler: Callable[[np.random.Generator], Callable[[], Sample]]
) -> None:
    """Write shards of 1,000 samples until there are `count` samples; existing shards are kept.

    Args:
        folder: Folder of shard_00000.npz, ...
        count: Total number of samples.
        seed: Each shard draws from its own generator, seeded with (seed, shard number).
        sampler: Given a generator, returns a function that returns one sample.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = -(-count // SHARD_SAMPLES)
    progress = tqdm(total=shards * SHARD_SAMPLES, unit="sample", mininterval=5.0, desc=folder.name)
    for shard in range(shards):
        path = folder / f"shard_{shard:05d}.npz"
        if not path.is_file():
            draw = sampler(np.random.default_rng((seed, shard)))
            rows = []
            for _ in range(SHARD_SAMPLES):
                rows.append(draw())
                progress.update()
            temporary = path.with_suffix(".part.npz")
            arrays: dict[str, Any] = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
            np.savez(temporary, **arrays)
            temporary.replace(path)
        else:
            progress.update(SHARD_SAMPLES)
    progress.close()


def load_shards(folder: Path, count: int) -> Sample:
    """Return the first `count` samples of a folder, each array stacked along its first axis."""
    shards = -(-count // SHARD_SAMPLES)
    parts = [np.load(folder / f"shard_{shard:05d}.npz") for shard in range(shards)]
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0].files}
