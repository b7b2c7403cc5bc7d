"""The joint network: heatmaps and depth maps of 24 joints, evaluated by soft-argmax.

Designed after integral regression (Sun et al. 2018), with a depth map per joint as in A2J (Xiong et al. 2019). One
person takes about 85 million multiplications.
"""

from __future__ import annotations

import torch
from torch import nn

from rehab_pose_lab.training.network_blocks import convolution

__all__ = ["JointNetwork"]

JOINTS = 24
MAP_PX = 32
"""Side of the heatmaps [px]."""


class JointNetwork(nn.Module):
    """Person crops (B, 2, 128, 128) to (B, 24, 4): u, v (0-1 in the crop), relative depth, log of the scale [m]."""

    grid: torch.Tensor

    def __init__(self, widths: tuple[int, int, int, int, int] = (16, 32, 64, 96, 48)) -> None:
        super().__init__()
        first, second, third, fourth, last = widths
        self.down1 = convolution(2, first, 2)
        self.down2 = nn.Sequential(convolution(first, second, 2), convolution(second, second))
        self.down3 = nn.Sequential(convolution(second, third, 2), convolution(third, third))
        self.down4 = nn.Sequential(
            convolution(third, fourth, 2), convolution(fourth, fourth), convolution(fourth, fourth)
        )
        self.lateral3, self.up3 = nn.Conv2d(fourth, third, 1), convolution(third, third)
        self.lateral2, self.skip2, self.up2 = (
            nn.Conv2d(third, last, 1),
            nn.Conv2d(second, last, 1),
            convolution(last, last),
        )
        self.heatmaps = nn.Conv2d(last, JOINTS, 1)
        self.depths = nn.Conv2d(last, JOINTS, 1)
        self.scales = nn.Sequential(nn.Linear(fourth, 96), nn.ReLU(inplace=True), nn.Linear(96, JOINTS))
        self.global_depths = nn.Linear(fourth, JOINTS)
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        centres = (torch.arange(MAP_PX, dtype=torch.float32) + 0.5) / MAP_PX
        rows, columns = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("grid", torch.stack([columns.flatten(), rows.flatten()], dim=1), persistent=False)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Return positions, depth and scale (B, 24, 4) of crops (B, 2, 128, 128)."""
        x2 = self.down2(self.down1(crops))
        x3 = self.down3(x2)
        x4 = self.down4(x3)
        y = self.up3(self.enlarge(self.lateral3(x4)) + x3)
        y = self.up2(self.enlarge(self.lateral2(y)) + self.skip2(x2))
        weights = torch.softmax(self.heatmaps(y).flatten(2), dim=2)
        position = weights @ self.grid
        pooled = x4.mean(dim=(2, 3))
        depth = (weights * self.depths(y).flatten(2)).sum(dim=2) + self.global_depths(pooled)
        scale = self.scales(pooled)
        return torch.cat([position, depth[..., None], scale[..., None]], dim=2)
