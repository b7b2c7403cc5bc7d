"""The silhouette network: a small U-Net from a depth image to the probability of a person.

Designed after U-Net (Ronneberger et al. 2015): four downsampling stages, skip connections that are added rather than
concatenated, and pixel shuffle for the last factor of two. One image takes about 60 million multiplications.
"""

from __future__ import annotations

import torch
from torch import nn

from rehab_pose.silhouette.depth_encoding import CHANNELS
from rehab_pose_lab.training.network_blocks import convolution

__all__ = ["SilhouetteNetwork"]


class SilhouetteNetwork(nn.Module):
    """Depth (B, 4, H, W) to logits (B, 1, H, W); H and W are multiples of 16.

    The channels are `encode_depth`'s: scaled depth, 1 where there is a return, and two heights above the floor.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 96), channels: int = CHANNELS) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.down1 = nn.Sequential(convolution(channels, first, 2), convolution(first, first))
        self.down2 = nn.Sequential(convolution(first, second, 2), convolution(second, second))
        self.down3 = nn.Sequential(convolution(second, third, 2), convolution(third, third))
        self.down4 = nn.Sequential(
            convolution(third, fourth, 2), convolution(fourth, fourth), convolution(fourth, fourth)
        )
        self.lateral3, self.up3 = nn.Conv2d(fourth, third, 1), convolution(third, third)
        self.lateral2, self.up2 = nn.Conv2d(third, second, 1), convolution(second, second)
        self.lateral1, self.up1 = nn.Conv2d(second, first, 1), convolution(first, first)
        self.head = nn.Conv2d(first, 4, 1)
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, depth: torch.Tensor) -> torch.Tensor:
        """Return logits (B, 1, H, W) of encoded depth images (B, 4, H, W)."""
        x1 = self.down1(depth)
        x2 = self.down2(x1)
        x3 = self.down3(x2)
        y = self.up3(self.enlarge(self.lateral3(self.down4(x3))) + x3)
        y = self.up2(self.enlarge(self.lateral2(y)) + x2)
        y = self.up1(self.enlarge(self.lateral1(y)) + x1)
        return nn.functional.pixel_shuffle(self.head(y), 2)
