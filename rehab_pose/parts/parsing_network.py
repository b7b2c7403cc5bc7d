"""Pyramid scene parsing network of Single-Human-Parsing-LIP: from an image of a person to LIP's 20 classes.

Implemented after Zhao et al. 2017 (arXiv 1612.01105: pyramid pooling) with the three upsampling steps of that project.
Layers carry the names of its published checkpoints. The backbones are in `parsing_backbones_network`.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from rehab_pose.parts.parsing_backbones_network import BACKBONES

__all__ = ["ParsingNetwork"]

LIP_CLASS_COUNT = 20
"""Number of classes of LIP with the background."""
GRIDS = (1, 2, 3, 6)
"""Cells per side of the grids over which features are averaged."""
PYRAMID_CHANNELS = 1024
"""Channels after the pyramid pooling."""
UPSAMPLING_CHANNELS = (256, 64, 64)
"""Channels after each of the three upsampling steps from stride 8 to the size of the image."""
IMAGE_LEVEL_CHANNELS = 256
"""Hidden channels of the image-level head of training."""


class _PyramidPooling(nn.Module):
    """Pyramid pooling: features concatenated with their averages over coarse grids."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(cells), nn.Conv2d(inputs, inputs, 1, bias=False)) for cells in GRIDS
        )
        self.bottleneck = nn.Conv2d(inputs * (len(GRIDS) + 1), outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, h, w) to (B, outputs, h, w)."""
        size = x.shape[-2:]
        coarse = [nn.functional.interpolate(stage(x), size=size, mode="bilinear") for stage in self.stages]
        return torch.relu(self.bottleneck(torch.cat([*coarse, x], 1)))


class _Upsampling(nn.Module):
    """Upsampling by a factor of 2, then a convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.PReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, h, w) to (B, outputs, 2 h, 2 w)."""
        return cast("torch.Tensor", self.conv(nn.functional.interpolate(x, scale_factor=2.0, mode="bilinear")))


class ParsingNetwork(nn.Module):
    """Maps images (B, 3, H, W), standardised with ImageNet's mean and deviation, to log-probabilities (B, 20, H, W).

    H and W are multiples of 8; the published networks were trained on 256.
    """

    def __init__(self, backbone: str, classes: int = LIP_CLASS_COUNT, narrowing: int = 1) -> None:
        """Make the layers.

        Args:
            backbone: A name from `BACKBONES`.
            classes: Number of classes with the background.
            narrowing: Divisor of all channel counts except the classes; 1 = as published.
        """
        super().__init__()
        kind = BACKBONES[backbone]
        self.feats = kind.build(narrowing)
        self.psp = _PyramidPooling(kind.channels // narrowing, PYRAMID_CHANNELS // narrowing)
        first, second, third = (channels // narrowing for channels in UPSAMPLING_CHANNELS)
        self.up_1 = _Upsampling(PYRAMID_CHANNELS // narrowing, first)
        self.up_2 = _Upsampling(first, second)
        self.up_3 = _Upsampling(second, third)
        self.final = nn.Sequential(nn.Conv2d(third, classes, 1), nn.LogSoftmax(dim=1))
        # The head of an auxiliary task of training, the classes in the image. It is not evaluated, but the layers exist
        # so that every name in a checkpoint has a counterpart.
        hidden = IMAGE_LEVEL_CHANNELS // narrowing
        self.classifier = nn.Sequential(
            nn.Linear(kind.middle_channels // narrowing, hidden), nn.ReLU(), nn.Linear(hidden, classes)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return log-probabilities (B, classes, H, W)."""
        features = self.psp(self.feats(images))
        return cast("torch.Tensor", self.final(self.up_3(self.up_2(self.up_1(features)))))
