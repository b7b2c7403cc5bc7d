"""ResNet in PyTorch with dilated stages (He et al. 2015), the backbone of two published networks.

Layers carry the names of torchvision's ResNet, which the published checkpoints use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple, cast

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BasicBlock", "Bottleneck", "ResidualNetwork", "StageLayout"]


class BasicBlock(nn.Module):
    """A residual block of two 3x3 convolutions (ResNet-18 and -34)."""

    expansion: ClassVar = 1
    """Ratio of the block's output channels to its width."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _projection(inputs, width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, H, W) to (B, width, H / stride, W / stride)."""
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Bottleneck(nn.Module):
    """A residual block of 1x1, 3x3 (strided or dilated) and 1x1 convolutions (ResNet-50, -101 and -152)."""

    expansion: ClassVar = 4
    """Ratio of the block's output channels to its width."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        outputs = self.expansion * width
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = _projection(inputs, outputs, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, H, W) to (B, 4 width, H / stride, W / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(self.bn3(self.conv3(y)) + shortcut)


def _projection(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """Return the shortcut of a block whose input and output differ in size; None where the identity fits."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class StageLayout(NamedTuple):
    """Number, stride and dilation of the blocks in one of the four stages."""

    blocks: int
    stride: int
    """Stride of the first block; the others have stride 1."""
    first_dilation: int
    """Dilation of the first block."""
    dilation: int
    """Dilation of the other blocks."""


class ResidualNetwork(nn.Module):
    """A ResNet without its classifier: features at stride 4 and after the last stage."""

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(self, block: type[BasicBlock | Bottleneck], stages: Sequence[StageLayout], width: int) -> None:
        """Make the layers.

        Args:
            block: Type of the residual blocks.
            stages: Layout of the four stages.
            width: Channels of the first layer and width of the first stage's blocks, doubled in each further stage;
                64 as published.
        """
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        for number, stage in enumerate(stages):
            layers = [block(inputs, width << number, stage.stride, stage.first_dilation)]
            inputs = block.expansion * (width << number)
            layers += [block(inputs, width << number, 1, stage.dilation) for _ in range(stage.blocks - 1)]
            setattr(self, f"layer{number + 1}", nn.Sequential(*layers))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the features (B, C, H/4, W/4) of the first and (B, 8 C, H/stride, W/stride) of the last stage."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        low = cast("torch.Tensor", self.layer1(x))
        deep = cast("torch.Tensor", self.layer4(self.layer3(self.layer2(low))))
        return low, deep
