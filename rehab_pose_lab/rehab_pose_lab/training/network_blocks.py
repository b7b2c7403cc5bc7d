"""Layers that the silhouette network and the joint network share."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["Residual", "convolution"]


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a 3 x 3 convolution with batch normalisation and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two 3 x 3 convolutions whose result is added to their input (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = convolution(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return features (B, C, H, W) of features of the same shape."""
        return torch.relu(inputs + self.second(self.first(inputs)))
