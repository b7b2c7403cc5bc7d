"""Stored samples as tensors on the device that trains, filled while further ones are being rendered."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

from rehab_pose.array_file import ArrayFile
from rehab_pose.errors import InputError
from rehab_pose_lab.training.shards import MAX_SHARD_BYTES, SHARD_SAMPLES, shard_path

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

__all__ = ["SampleStore"]

POLL_S = 2.0
"""Time between two looks at a folder that has too few samples [s]."""


class SampleStore:
    """The samples of a folder of shards; those that exist already can be drawn."""

    def __init__(self, folder: Path, count: int, device: str) -> None:
        """Prepare an empty store.

        Args:
            folder: Folder of shards.
            count: Largest number of samples.
            device: Name of torch's device.
        """
        self._folder, self._device = folder, device
        self._shards = -(-count // SHARD_SAMPLES)
        self._loaded: list[int] = []
        self._seen: set[int] = set()
        self._arrays: dict[str, torch.Tensor] = {}

    def __len__(self) -> int:
        """Return the number of samples that can be drawn."""
        return len(self._loaded) * SHARD_SAMPLES

    def wait_for(self, count: int) -> None:
        """Load new shards until there are `count` samples, or as many as the store holds."""
        wanted = min(count, self._shards * SHARD_SAMPLES)
        self.load_new()
        while len(self) < wanted:
            time.sleep(POLL_S)
            self.load_new()

    def load_new(self) -> None:
        """Load the shards that were written since the last call."""
        for shard in range(self._shards):
            path = shard_path(self._folder, shard)
            if shard in self._seen or not path.is_file():
                continue
            try:
                with ArrayFile(path, max_bytes=MAX_SHARD_BYTES) as arrays:
                    self._put({name: torch.from_numpy(arrays[name]) for name in arrays.files})
            except (OSError, InputError):  # written at this moment
                continue
            self._seen.add(shard)
            self._loaded.append(shard)

    def draw(self, count: int, random: np.random.Generator) -> dict[str, torch.Tensor]:
        """Return `count` random samples, each array stacked along its first axis."""
        chosen = torch.from_numpy(random.integers(len(self), size=count)).to(self._device)
        return {name: values[chosen] for name, values in self._arrays.items()}

    def _put(self, arrays: dict[str, torch.Tensor]) -> None:
        """Append the samples of a shard."""
        first = len(self)
        for name, values in arrays.items():
            if name not in self._arrays:
                shape = (self._shards * SHARD_SAMPLES, *values.shape[1:])
                self._arrays[name] = torch.empty(shape, dtype=values.dtype, device=self._device)
            self._arrays[name][first : first + len(values)] = values.to(self._device)
