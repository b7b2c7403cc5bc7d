"""PyTorch checkpoints made elsewhere: read them without running anything in them, and load them only if they fit.

The twin of `weights` for published networks that exist as PyTorch files. Only modules that use torch import this one,
and they are themselves imported only where a setting asks for such a network.
"""

from __future__ import annotations

import hashlib
import pickle
import re
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rehab_pose.errors import ModelFileError, SettingsError
from rehab_pose.weights import ID_LENGTH

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import nn

__all__ = ["TorchNetwork", "load_state", "read_checkpoint", "usable_device"]

WRAPPERS = ("model_state", "state_dict", "model")
"""Under these names training programs keep the weights, beside the optimiser's state and the epoch."""
PARALLEL_PREFIX = "module."
"""torch.nn.DataParallel puts this before every name."""
COUNTER = "num_batches_tracked"
"""Batch normalisation's counter: training only, and absent from files older than PyTorch 0.4.1."""
CHUNK_BYTES = 1 << 20

_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def _harmless_globals() -> list[Any]:
    """Return what a numpy number in a pickle needs (a training program's best score is often one): data, no code."""
    # numpy.core became numpy._core in 2.0; either name may be in a file.
    module = np._core if hasattr(np, "_core") else np.core  # noqa: SLF001  (the only home of this function)
    scalar = module.multiarray.scalar
    kinds = [type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64)]
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    return [np.dtype, *kinds, *((scalar, name) for name in names)]


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """Return the weights in a PyTorch file by name, wrappers and DataParallel's prefix taken off.

    Nothing in the file is run: a file that names any class or function but those of tensors is refused.

    Raises:
        ModelFileError: The file is missing, cut short or damaged, holds code, or holds no weights.
    """
    file = Path(path)
    if not file.is_file():
        msg = f"weights: expected a file at {file}, there is none; check the path"
        raise ModelFileError(msg)
    content: object = _load(file)
    while isinstance(content, dict) and (name := next((name for name in WRAPPERS if name in content), None)):
        content = content[name]
    if not isinstance(content, dict) or not content:
        msg = f"weights: {file}: expected a dictionary of tensors, it holds {_kind(content)}; save state_dict() instead"
        raise ModelFileError(msg)
    state: dict[str, torch.Tensor] = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            msg = f"weights: {file}: expected tensors by name, {name!r} is {_kind(value)}; save state_dict() instead"
            raise ModelFileError(msg)
        state[name.removeprefix(PARALLEL_PREFIX)] = value
    return state


def _load(file: Path) -> object:
    try:
        with torch.serialization.safe_globals(_harmless_globals()), warnings.catch_warnings():
            # torch warns of pickle protocols it does not write; what matters is only whether the file can be read.
            warnings.simplefilter("ignore", UserWarning)
            content: object = torch.load(file, map_location="cpu", weights_only=True)
    except (
        pickle.UnpicklingError,
        struct.error,
        RuntimeError,
        EOFError,
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        AssertionError,
        OverflowError,
        MemoryError,
        OSError,
    ) as error:
        # torch's own text advises to load the file with its code: never pass that on.
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        if named:
            msg = (
                f"weights: {file} asks for {named.group(1)}, which weights do not need; it was not run. "
                "Get the file from its publisher again, or save its state_dict() alone"
            )
        else:
            msg = (
                f"weights: {file} ({file.stat().st_size} bytes) is no PyTorch checkpoint, or is cut short or damaged "
                f"({type(error).__name__}); get it again"
            )
        raise ModelFileError(msg) from error
    return content


def load_state(network: nn.Module, state: Mapping[str, torch.Tensor], source: str | os.PathLike[str]) -> None:
    """Put weights into a network made on the `meta` device, if every name and shape fits; then it only predicts.

    Args:
        network: The network; its own weights are replaced, not copied into.
        state: Weights by name, as `read_checkpoint` returns them.
        source: The file, for the sentence that says what does not fit.

    Raises:
        ModelFileError: A name is missing or unknown, or a shape differs; the first one is named.
    """
    expected = network.state_dict()
    for name, own in expected.items():
        if name in state:
            if state[name].shape != own.shape:
                _refuse(source, f"{name}: expected the shape {tuple(own.shape)}, got {tuple(state[name].shape)}")
            if state[name].is_floating_point() != own.is_floating_point():
                _refuse(source, f"{name}: expected {own.dtype}, got {state[name].dtype}")
        elif not name.endswith(COUNTER):
            _refuse(source, f"expected {name} with the shape {tuple(own.shape)}, the file has none")
    for name in state:
        if name not in expected:
            _refuse(source, f"{name} of the shape {tuple(state[name].shape)} belongs to no layer of this network")
    fitting = {
        name: state[name].to(own.dtype) if name in state else torch.zeros(own.shape, dtype=own.dtype)
        for name, own in expected.items()
    }
    network.load_state_dict(fitting, assign=True)
    network.requires_grad_(requires_grad=False)
    network.eval()


def _refuse(source: str | os.PathLike[str], what: str) -> None:
    msg = f"weights: {source}: {what}; the file belongs to another network"
    raise ModelFileError(msg)


def _kind(value: object) -> str:
    return "nothing" if isinstance(value, dict) else f"a {type(value).__name__}"


def usable_device(name: str) -> torch.device:
    """Return a device by name (`cpu`, `cuda`, `cuda:1`).

    Raises:
        SettingsError: There is no such device here.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        msg = f"device: expected cpu, cuda or cuda:N, got {name!r}"
        raise SettingsError(msg) from error
    if device.type not in {"cpu", "cuda"} or (
        device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()
    ):
        msg = f"device: expected cpu or a CUDA device of this machine ({torch.cuda.device_count()}), got {name!r}"
        raise SettingsError(msg)
    return device


class TorchNetwork:
    """A loaded network of RGB images, ready to run: arrays in, arrays out."""

    def __init__(self, network: nn.Module, path: str | os.PathLike[str], device: str = "cpu") -> None:
        """Move a network to a device; on a GPU it calculates in half precision.

        Args:
            network: From `load_state`: (B, 3, H, W) to (B, K, H, W).
            path: The file it came from, which gives `model_id`.
            device: As for `usable_device`.
        """
        self._device = usable_device(device)
        # Half precision is what makes a GPU fast; on a CPU it is slower than single.
        self._dtype = torch.float16 if self._device.type == "cuda" else torch.float32
        self._network = network.to(self._device, self._dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model_id = _model_id(Path(path))
        """Name and hash of the weights, for the records that came out of them."""

    def probabilities(self, color: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each class (K, H, W) for an RGB image (H, W, 3).

        The image is scaled to 0-1, its channels standardised by ImageNet's mean and deviation, and HWC becomes CHW
        (Eq 1-2).
        """
        standardised = (color.astype(np.float32) / np.float32(255.0) - _IMAGENET_MEAN) / _IMAGENET_DEVIATION
        images = torch.from_numpy(np.ascontiguousarray(standardised.transpose(2, 0, 1)))[None]
        images = images.to(self._device, self._dtype, memory_format=torch.channels_last)
        with torch.inference_mode():
            # Softmax leaves log-probabilities as probabilities, so both kinds of network may end as they like.
            scores: torch.Tensor = torch.softmax(self._network(images)[0].float(), dim=0)
        result: NDArray[np.float32] = scores.cpu().numpy()
        return result


def _model_id(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return f"{file.stem}-{digest.hexdigest()[:ID_LENGTH]}"
