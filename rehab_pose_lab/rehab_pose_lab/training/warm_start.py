"""Start training from shipped weights: an exported network's convolutions, whose batch norms were folded away.

The export folds each batch norm into the convolution before it. Here a norm is given back: statistics measured on a
batch, scale and shift such that it passes that batch through unchanged but for the folded bias. The network then says
what the exported one says, and can go on learning.
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
"""The exporter's name for the bias of a convolution that had none before its batch norm was folded in."""


def start_from_export(network: nn.Module, path: Path, example: torch.Tensor) -> None:
    """Give a network the weights of an exported one.

    A first convolution with more inputs than the exported one starts with zeros for the new ones: it says the same, and
    learns what the new channels are good for.

    Args:
        network: Built by the code that trained the exported one; changed in place.
        path: `.onnx` file written by `export_onnx`.
        example: A batch of inputs to measure the norms' statistics on, 32 or more.

    Raises:
        ModelFileError: The file holds no weights for a layer, or weights of another shape.
    """
    stored = {entry.name: numpy_helper.to_array(entry) for entry in onnx.load(path).graph.initializer}
    previous: str | None = None
    hooks = []
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.weight.copy_(_fitting(stored, f"{name}.weight", module.weight, path))
                if module.bias is not None:
                    module.bias.copy_(_fitting(stored, f"{name}.bias", module.bias, path))
                previous = name
            elif isinstance(module, nn.BatchNorm2d):
                bias = _fitting(stored, FOLDED_BIAS.format(f"{previous}.weight"), module.bias, path)
                hooks.append(module.register_forward_pre_hook(_passing_through(bias)))
        network.train()
        network(example)
    for hook in hooks:
        hook.remove()


def _fitting(stored: dict[str, NDArray[np.generic]], name: str, wanted: torch.Tensor, path: Path) -> torch.Tensor:
    if name not in stored:
        msg = f"{path}: expected weights named {name}, there are none; it was exported from another network"
        raise ModelFileError(msg)
    values = torch.from_numpy(np.array(stored[name], dtype=np.float32))
    if values.ndim == 4 and values.shape[1] < wanted.shape[1] and values.shape[0] == wanted.shape[0]:
        grown = torch.zeros_like(wanted)
        grown[:, : values.shape[1]] = values
        return grown
    if values.shape != wanted.shape:
        msg = f"{path}: expected {name} of shape {tuple(wanted.shape)}, got {tuple(values.shape)}"
        raise ModelFileError(msg)
    return values


def _passing_through(bias: torch.Tensor):  # type: ignore[no-untyped-def]  # noqa: ANN202  (torch names no such hook type)
    def measure(norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor, ...]) -> None:
        values = inputs[0].float()
        mean, variance = values.mean(dim=(0, 2, 3)), values.var(dim=(0, 2, 3), unbiased=False)
        with torch.no_grad():
            norm.weight.copy_(torch.sqrt(variance + norm.eps))
            norm.bias.copy_(bias + mean)
            running_mean, running_variance = norm.running_mean, norm.running_var
            if running_mean is not None and running_variance is not None:
                running_mean.copy_(mean)
                running_variance.copy_(variance)

    return measure
