"""Loading of Single-Human-Parsing-LIP checkpoints: identifies the backbone and loads the weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

from rehab_pose.checkpoints import load_state, read_checkpoint, usable_device
from rehab_pose.errors import ModelFileError
from rehab_pose.parts.parsing_network import ParsingNetwork

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

__all__ = ["load_parsing_network"]


def load_parsing_network(path: str | os.PathLike[str], device: str = "cpu", *, narrowing: int = 1) -> ParsingNetwork:
    """Return the parsing network of a checkpoint in evaluation mode on a device.

    Args:
        path: The checkpoint, for example that project's `PSPNet_last`.
        device: `cpu`, `cuda` or `cuda:N`.
        narrowing: As in `ParsingNetwork`; 1 for published files.

    Raises:
        ModelFileError: The file is missing, damaged, holds code, or belongs to another network.
        SettingsError: The device does not exist.
    """
    target = usable_device(device)
    state = read_checkpoint(path)
    backbone = _backbone(state)
    if backbone is None:
        msg = (
            f"weights: {path}: expected a Single-Human-Parsing-LIP checkpoint (feats.*), "
            f"its first name is {next(iter(state))}; the file belongs to another network"
        )
        raise ModelFileError(msg)
    with torch.device("meta"):
        network = ParsingNetwork(backbone, narrowing=narrowing)
    load_state(network, state, path)
    return network.to(target)


def _backbone(names: Iterable[str]) -> str | None:
    """Return the name in `BACKBONES` of the smallest backbone that has all layers of these names, None for no match."""
    names = list(names)
    if any(name.startswith("feats.start_features.") for name in names):
        return "densenet"
    if any(name.startswith("feats.feat_") for name in names):
        return "squeezenet"
    matches = [re.match(r"feats\.layer3\.(\d+)\.", name) for name in names]
    blocks = [int(match.group(1)) + 1 for match in matches if match]
    if not blocks:
        return None
    has_bottlenecks = any(re.match(r"feats\.layer\d\.\d+\.conv3\.", name) for name in names)
    sizes = {"resnet50": 6, "resnet101": 23, "resnet152": 36} if has_bottlenecks else {"resnet18": 2, "resnet34": 6}
    return next((backbone for backbone, count in sizes.items() if max(blocks) <= count), list(sizes)[-1])
