"""Start a training from exported weights, in which each batch norm was folded into the preceding convolution.

The norms are reconstructed: their statistics are measured on a batch, and scale and shift are chosen such that this
batch passes unchanged except for the folded bias. The network then computes what the exported one computes, and can be
trained further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from rehab_pose.errors import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["start_from_export"]

FOLDED_BIAS = "{}_bias"
"""The exporter's name of the bias of a convolution that had none before its batch norm was folded in."""


def start_from_export(network: nn.Module, path: Path, example: torch.Tensor) -> None:
    """Give a network the weights of an exported one.

    A first convolution with more input channels than the exported one gets zeros for the new channels, so that the
    result is the same at first.

    Args:
        network: Of the same architecture as the exported one; changed in place.
        path: `.onnx` file written by `export_onnx`.
        example: A batch of inputs to measure the norms' statistics on, 32 or more.

    Raises:
        ModelFileError: The file contains no weights for a layer, or weights of another shape.
    """
    stored = {entry.name: numpy_helper.to_array(entry) for entry in onnx.load(path).graph.initializer}
    previous: str | None = None
    hooks = []
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.copy_(_stored_weights(stored, f"{name}.weight", module.weight, path))
                if module.bias is not None:
                    module.bias.copy_(_stored_weights(stored, f"{name}.bias", module.bias, path))
                previous = name
            elif isinstance(module, nn.BatchNorm2d):
                bias = _stored_weights(stored, FOLDED_BIAS.format(f"{previous}.weight"), module.bias, path)
                hooks.append(module.register_forward_pre_hook(_keep_batch(bias)))
        network.train()
        network(example)
    for hook in hooks:
        hook.remove()


def _stored_weights(
    stored: dict[str, NDArray[np.generic]], name: str, wanted: torch.Tensor, path: Path
) -> torch.Tensor:
    """Return the stored weights of a name, padded with zeros to the wanted number of input channels."""
    if name not in stored:
        msg = f"{path}: expected weights named {name}, found none; it was exported from another network"
        raise ModelFileError(msg)
    values = torch.from_numpy(np.array(stored[name], dtype=np.float32))
    if values.ndim == 4 and values.shape[1] < wanted.shape[1] and values.shape[0] == wanted.shape[0]:
        padded = torch.zeros_like(wanted)
        padded[:, : values.shape[1]] = values
        return padded
    if values.shape != wanted.shape:
        msg = f"{path}: expected {name} of shape {tuple(wanted.shape)}, got {tuple(values.shape)}"
        raise ModelFileError(msg)
    return values


def _keep_batch(bias: torch.Tensor):  # type: ignore[no-untyped-def]  # noqa: ANN202  (torch names no such hook type)
    """Return a hook that sets a norm such that a batch passes unchanged except for a bias."""

    def measure(norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor, ...]) -> None:
        values = inputs[0].float()
        mean, variance = values.mean(dim=(0, 2, 3)), values.var(dim=(0, 2, 3), unbiased=False)
        with torch.no_grad():
            norm.weight.copy_(torch.sqrt(variance + norm.eps))
            norm.bias.copy_(bias.to(mean.device) + mean)
            running_mean, running_variance = norm.running_mean, norm.running_var
            if running_mean is not None and running_variance is not None:
                running_mean.copy_(mean)
                running_variance.copy_(variance)

    return measure
