"""Loading of published PyTorch checkpoints, without execution of code in them and with a check of every tensor.

`weights` does the same for ONNX files. Only modules that use torch import this one, and they are imported only when a
setting selects such a network.
"""

from __future__ import annotations

import hashlib
import re
import struct
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rehab_pose.errors import ModelFileError, SettingsError
from rehab_pose.restricted_pickle import UNPICKLING_ERRORS
from rehab_pose.weights import ID_LENGTH

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import nn

__all__ = ["TorchNetwork", "load_state", "read_checkpoint", "usable_device"]

WRAPPERS = ("model_state", "state_dict", "model")
"""Keys of the weights in the checkpoints of training programs, which also contain the optimiser and the epoch."""
PARALLEL_PREFIX = "module."
"""Prefix of all names in a state saved from torch.nn.DataParallel."""
COUNTER = "num_batches_tracked"
"""Counter of batch normalisation, which only training uses; absent in files of PyTorch before 0.4.1."""
CHUNK_BYTES = 1 << 20
"""Number of bytes that are read at a time for the hash of a file."""

_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
_IMAGENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def _harmless_globals() -> list[Any]:
    """Return the globals of numpy scalars in pickles, such as the best score of a training: they run no code."""
    # numpy.core was renamed to numpy._core in 2.0; files contain either name.
    module = np._core if hasattr(np, "_core") else np.core  # noqa: SLF001  (there is no public name)
    scalar = module.multiarray.scalar
    kinds = [type(np.dtype(kind)) for kind in (np.float64, np.float32, np.int64)]
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    return [np.dtype, *kinds, *((scalar, name) for name in names)]


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """Return the weights of a PyTorch file by name, without wrappers and the prefix of DataParallel.

    No code in the file is executed: a file that refers to other classes or functions than those of tensors is refused.

    Raises:
        ModelFileError: The file is missing, truncated or damaged, contains code, or contains no weights.
    """
    file = Path(path)
    if not file.is_file():
        msg = f"weights: expected a file at {file}, there is none; check the path"
        raise ModelFileError(msg)
    content: object = _load(file)
    while isinstance(content, dict) and (name := next((name for name in WRAPPERS if name in content), None)):
        content = content[name]
    if not isinstance(content, dict) or not content:
        msg = f"weights: {file}: expected a dictionary of tensors, it contains {_kind(content)}; save state_dict()"
        raise ModelFileError(msg)
    state: dict[str, torch.Tensor] = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            msg = f"weights: {file}: expected tensors by name, {name!r} is {_kind(value)}; save state_dict() instead"
            raise ModelFileError(msg)
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            msg = f"weights: {file}: {name} is NaN or infinite; download the file again"
            raise ModelFileError(msg)
        state[name.removeprefix(PARALLEL_PREFIX)] = value
    return state


def _load(file: Path) -> object:
    try:
        with torch.serialization.safe_globals(_harmless_globals()), warnings.catch_warnings():
            # torch warns about pickle protocols that it does not write; here only the content matters.
            warnings.simplefilter("ignore", UserWarning)
            content: object = torch.load(file, map_location="cpu", weights_only=True)
    except (*UNPICKLING_ERRORS, struct.error, RuntimeError, AssertionError, OSError) as error:
        # The message of torch suggests to load the file with its code, so it is not included.
        forbidden = re.search(r"GLOBAL ([\w.]+)", str(error))
        if forbidden:
            msg = (
                f"weights: {file} asks for {forbidden.group(1)}, which weights do not need; it was not run. "
                "Get the file from its publisher again, or save only its state_dict()"
            )
        else:
            msg = (
                f"weights: {file} ({file.stat().st_size} bytes) is no PyTorch checkpoint, or is truncated or damaged "
                f"({type(error).__name__}); download it again"
            )
        raise ModelFileError(msg) from error
    return content


def load_state(network: nn.Module, state: Mapping[str, torch.Tensor], source: str | os.PathLike[str]) -> None:
    """Load weights into a network made on the `meta` device, if every name and shape fits, and set evaluation mode.

    Args:
        network: The network; its tensors are replaced, not overwritten.
        state: Weights by name, as `read_checkpoint` returns them.
        source: The file, for the error message.

    Raises:
        ModelFileError: A name is missing or unknown, or a shape differs; the message names the first one.
    """
    expected = network.state_dict()
    for name, tensor in expected.items():
        if name in state:
            if state[name].shape != tensor.shape:
                _refuse(source, f"{name}: expected the shape {tuple(tensor.shape)}, got {tuple(state[name].shape)}")
            if state[name].is_floating_point() != tensor.is_floating_point():
                _refuse(source, f"{name}: expected {tensor.dtype}, got {state[name].dtype}")
        elif not name.endswith(COUNTER):
            _refuse(source, f"expected {name} with the shape {tuple(tensor.shape)}, the file has none")
    for name in state:
        if name not in expected:
            _refuse(source, f"{name} of the shape {tuple(state[name].shape)} belongs to no layer of this network")
    fitting = {
        name: state[name].to(tensor.dtype) if name in state else torch.zeros(tensor.shape, dtype=tensor.dtype)
        for name, tensor in expected.items()
    }
    network.load_state_dict(fitting, assign=True)
    network.requires_grad_(requires_grad=False)
    network.eval()


def _refuse(source: str | os.PathLike[str], reason: str) -> None:
    msg = f"weights: {source}: {reason}; the file belongs to another network"
    raise ModelFileError(msg)


def _kind(value: object) -> str:
    return "nothing" if isinstance(value, dict) else f"a {type(value).__name__}"


def usable_device(name: str) -> torch.device:
    """Return a device by name (`cpu`, `cuda`, `cuda:1`).

    Raises:
        SettingsError: This machine has no such device.
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
    """A loaded network of RGB images, from arrays to arrays."""

    def __init__(self, network: nn.Module, path: str | os.PathLike[str], device: str = "cpu") -> None:
        """Move a network to a device; a GPU computes in half precision.

        Args:
            network: Network after `load_state`, from (B, 3, H, W) to (B, K, H, W).
            path: The file of its weights, which determines `model_id`.
            device: As in `usable_device`.
        """
        self._device = usable_device(device)
        # Half precision is faster than single on a GPU and slower on a CPU.
        self._dtype = torch.float16 if self._device.type == "cuda" else torch.float32
        self._network = network.to(self._device, self._dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model_id = _model_id(Path(path))
        """Name and hash of the weights file, stored in the results."""

    def probabilities(self, color: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each class (K, H, W) for an RGB image (H, W, 3).

        The image is scaled to 0-1, standardised with ImageNet's mean and standard deviation, and transposed to channels
        first (Eq 1-2).
        """
        standardised = (color.astype(np.float32) / np.float32(255.0) - _IMAGENET_MEAN) / _IMAGENET_STD
        images = torch.from_numpy(np.ascontiguousarray(standardised.transpose(2, 0, 1)))[None]
        images = images.to(self._device, self._dtype, memory_format=torch.channels_last)
        with torch.inference_mode():
            # The softmax of log-probabilities are the probabilities, so networks may return these or logits.
            scores: torch.Tensor = torch.softmax(self._network(images)[0].float(), dim=0)
        result: NDArray[np.float32] = scores.cpu().numpy()
        return result


def _model_id(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return f"{file.stem}-{digest.hexdigest()[:ID_LENGTH]}"
