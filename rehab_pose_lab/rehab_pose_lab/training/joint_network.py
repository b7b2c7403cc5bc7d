"""The joint network: heatmaps, depth maps and scale maps of 24 joints, evaluated by soft-argmax.

Designed after integral regression (Sun et al. 2018), with a depth map per joint as in A2J (Xiong et al. 2019). One
person takes about 140 million multiplications.
"""

from __future__ import annotations

import torch
from torch import nn

from rehab_pose.joints.crop import CHANNELS
from rehab_pose_lab.training.network_blocks import Residual, convolution

__all__ = ["JointNetwork"]

JOINTS = 24
MAP_PX = 32
"""Side of the heatmaps [px]."""


class JointNetwork(nn.Module):
    """Person crops (B, 3, 128, 128) to (B, 24, 4): u, v (0-1 in the crop), relative depth, log of the scale [m]."""

    grid: torch.Tensor

    def __init__(self, widths: tuple[int, int, int, int, int] = (24, 32, 72, 128, 48)) -> None:
        super().__init__()
        first, second, third, fourth, last = widths
        self.down1 = convolution(CHANNELS, first, 2)
        self.down2 = nn.Sequential(convolution(first, second, 2), convolution(second, second))
        self.down3 = nn.Sequential(convolution(second, third, 2), Residual(third))
        self.down4 = nn.Sequential(convolution(third, fourth, 2), Residual(fourth), Residual(fourth))
        self.lateral3, self.up3 = nn.Conv2d(fourth, third, 1), convolution(third, third)
        self.lateral2, self.skip2 = nn.Conv2d(third, last, 1), nn.Conv2d(second, last, 1)
        self.up2 = convolution(last, last)
        self.maps = nn.Conv2d(last, 3 * JOINTS, 1)
        self.whole = nn.Sequential(nn.Linear(fourth, 96), nn.ReLU(inplace=True), nn.Linear(96, 2 * JOINTS))
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        centres = (torch.arange(MAP_PX, dtype=torch.float32) + 0.5) / MAP_PX
        rows, columns = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("grid", torch.stack([columns.flatten(), rows.flatten()], dim=1), persistent=False)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        """Return positions, depth and scale (B, 24, 4) of crops (B, 3, 128, 128)."""
        x2 = self.down2(self.down1(crops))
        x3 = self.down3(x2)
        x4 = self.down4(x3)
        y = self.up3(self.enlarge(self.lateral3(x4)) + x3)
        y = self.up2(self.enlarge(self.lateral2(y)) + self.skip2(x2))
        heat, depths, scales = self.maps(y).float().flatten(2).split(JOINTS, dim=1)
        weights = torch.softmax(heat, dim=2)
        position = weights @ self.grid
        whole = self.whole(x4.mean(dim=(2, 3))).float()
        depth = (weights * depths).sum(dim=2) + whole[:, :JOINTS]
        scale = (weights * scales).sum(dim=2) + whole[:, JOINTS:]
        return torch.cat([position, depth[..., None], scale[..., None]], dim=2)
