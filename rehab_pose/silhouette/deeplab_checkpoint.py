"""Loading of DeepLab checkpoints: identifies the network and loads its weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

from rehab_pose.checkpoints import load_state, read_checkpoint, usable_device
from rehab_pose.errors import ModelFileError
from rehab_pose.silhouette.deeplab_network import RESNET_BLOCKS, VOC_CLASSES, DeepLabV3, DeepLabV3Plus

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from torch import nn

__all__ = ["load_deeplab"]

AUXILIARY = "aux_classifier."
"""Prefix of torchvision's auxiliary head, which only training uses."""
INNER_HEAD = "classifier.classifier."
"""Prefix in DeepLabV3Plus-Pytorch of the head of its V3, and of the last part of the head of its V3+."""


def load_deeplab(
    path: str | os.PathLike[str], device: str = "cpu", *, classes: int = VOC_CLASSES, width: int = 64
) -> nn.Module:
    """Return the DeepLab network of a checkpoint in evaluation mode on a device.

    Three layouts are supported: V3+ of DeepLabV3Plus-Pytorch, V3 of torchvision (output stride 8), and V3 of
    DeepLabV3Plus-Pytorch (output stride 16); each with ResNet-50, -101 or -152.

    Args:
        path: The checkpoint.
        device: `cpu`, `cuda` or `cuda:N`.
        classes: Number of classes that the file must have; Pascal VOC has 21.
        width: Channels of the first layer; published files have 64.

    Raises:
        ModelFileError: The file is missing, damaged, holds code, or belongs to another network.
        SettingsError: The device does not exist.
    """
    target = usable_device(device)
    state = {name: value for name, value in read_checkpoint(path).items() if not name.startswith(AUXILIARY)}
    blocks = _blocks(state)
    with torch.device("meta"):
        network: nn.Module
        if any(name.startswith(("classifier.aspp.", "classifier.project.")) for name in state):
            network = DeepLabV3Plus(blocks, classes, width)
        elif any(name.startswith(INNER_HEAD) for name in state):
            state = {name.replace(INNER_HEAD, "classifier.", 1): value for name, value in state.items()}
            network = DeepLabV3(blocks, classes, width, output_stride=16)
        elif any(name.startswith("classifier.0.convs.") for name in state):
            network = DeepLabV3(blocks, classes, width, output_stride=8)
        else:
            msg = (
                f"weights: {path}: expected a DeepLab checkpoint (classifier.aspp or classifier.0.convs), "
                f"its first name is {next(iter(state), 'none')}; the file belongs to another network"
            )
            raise ModelFileError(msg)
    load_state(network, state, path)
    return network.to(target)


def _blocks(names: Iterable[str]) -> tuple[int, int, int, int]:
    """Return the block counts of the smallest ResNet with all blocks of the third stage, in which the three differ."""
    matches = [re.match(r"backbone\.layer3\.(\d+)\.", name) for name in names]
    last = max((int(match.group(1)) for match in matches if match), default=0)
    return next((blocks for blocks in RESNET_BLOCKS.values() if last < blocks[2]), RESNET_BLOCKS["resnet152"])
