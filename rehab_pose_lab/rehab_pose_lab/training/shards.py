"""Rendered samples on disk, in numbered shards, so that rendering can be interrupted, resumed and done in parallel."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from rehab_pose.array_file import ArrayFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["MAX_SHARD_BYTES", "SHARD_SAMPLES", "Sample", "load_shards", "make_shard", "make_shards", "shard_path"]

MAX_SHARD_BYTES = 1 << 33
"""Largest unpacked size of one array of a shard [bytes]."""
SHARD_SAMPLES = 1000

Sample = dict[str, "NDArray[Any]"]


def shard_path(folder: Path, shard: int) -> Path:
    """Return the file of a shard."""
    return folder / f"shard_{shard:05d}.npz"


def make_shard(job: tuple[Path, int, int, Callable[[np.random.Generator], Callable[[], Sample]]]) -> int:
    """Write one shard unless it exists; return its number.

    Args:
        job: Folder, number of the shard, seed and sampler, as in `make_shards`.
    """
    folder, shard, seed, sampler = job
    path = shard_path(folder, shard)
    if not path.is_file():
        draw = sampler(np.random.default_rng((seed, shard)))
        rows = [draw() for _ in range(SHARD_SAMPLES)]
        temporary = path.with_suffix(".part.npz")
        arrays: dict[str, Any] = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        np.savez(temporary, **arrays)
        temporary.replace(path)
    return shard


def make_shards(
    folder: Path,
    count: int,
    seed: int,
    sampler: Callable[[np.random.Generator], Callable[[], Sample]],
    *,
    workers: int = 1,
) -> None:
    """Write shards of 1,000 samples until there are `count` samples; existing shards are kept.

    Args:
        folder: Folder of shard_00000.npz, ...
        count: Total number of samples.
        seed: Each shard draws from its own generator, seeded with (seed, shard number): the samples do not depend on
            the number of workers.
        sampler: Given a generator, returns a function that returns one sample; it can be pickled.
        workers: Number of processes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards = -(-count // SHARD_SAMPLES)
    jobs = [(folder, shard, seed, sampler) for shard in range(shards)]
    with tqdm(total=shards * SHARD_SAMPLES, unit="sample", mininterval=5.0, desc=folder.name) as progress:
        if workers == 1:
            for job in jobs:
                make_shard(job)
                progress.update(SHARD_SAMPLES)
            return
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            for _ in pool.imap_unordered(make_shard, jobs):
                progress.update(SHARD_SAMPLES)


def load_shards(folder: Path, count: int) -> Sample:
    """Return the first `count` samples of a folder, each array stacked along its first axis."""
    shards = -(-count // SHARD_SAMPLES)
    parts = []
    for shard in range(shards):
        with ArrayFile(shard_path(folder, shard), max_bytes=MAX_SHARD_BYTES) as arrays:
            parts.append({name: arrays[name] for name in arrays.files})
    return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}
