"""Backbones of Single-Human-Parsing-LIP: ResNet, DenseNet-121 and SqueezeNet 1.1, all at stride 8.

Implemented after He et al. 2015, Huang et al. 2016 and Iandola et al. 2016, with the strides, dilations and names of
that project's checkpoints. In its ResNet, unlike in DeepLab's, a dilated stage begins with an undilated block.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from rehab_pose.residual_network import BasicBlock, Bottleneck, ResidualNetwork, StageLayout

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BACKBONES", "Backbone"]

_FIRST_CHANNELS = 64
"""Channels of the first convolution at narrowing 1."""
_STRIDES_AND_DILATIONS = ((1, 1), (2, 1), (1, 2), (1, 4))
"""Stride and dilation of a ResNet's four stages; the last two dilate where the original strides."""
_DENSE_BOTTLENECK_FACTOR = 4
"""Channels of the 1x1 convolution of a dense layer, in units of the growth."""
_GROWTH = 32
"""Channels that each dense layer adds."""
_DENSE_BLOCKS = (6, 12, 24, 16)
"""Number of layers in each block of DenseNet-121."""


class _ResNet(ResidualNetwork):
    """Maps (B, 3, H, W) to (B, 512 or 2048, H/8, W/8)."""

    def __init__(self, block: type[BasicBlock | Bottleneck], counts: tuple[int, ...], narrowing: int) -> None:
        stages = [
            StageLayout(count, stride, 1, dilation)
            for (stride, dilation), count in zip(_STRIDES_AND_DILATIONS, counts, strict=True)
        ]
        super().__init__(block, stages, _FIRST_CHANNELS // narrowing)

    def forward(self, images: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Return the features of the last stage."""
        return super().forward(images)[1]


class _DenseLayer(nn.Sequential):
    """A dense layer: appends `growth` channels that are computed from all of its input."""

    def __init__(self, inputs: int, growth: int) -> None:
        inner = _DENSE_BOTTLENECK_FACTOR * growth
        super().__init__(
            OrderedDict[str, nn.Module](
                norm1=nn.BatchNorm2d(inputs),
                relu1=nn.ReLU(inplace=True),
                conv1=nn.Conv2d(inputs, inner, 1, bias=False),
                norm2=nn.BatchNorm2d(inner),
                relu2=nn.ReLU(inplace=True),
                conv2=nn.Conv2d(inner, growth, 3, padding=1, bias=False),
            )
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, h, w) to (B, inputs + growth, h, w)."""
        y = x
        for layer in self:
            y = layer(y)
        return torch.cat([x, y], 1)


class _DenseNet(nn.Module):
    """DenseNet-121: maps (B, 3, H, W) to (B, 1024, H/8, W/8)."""

    def __init__(self, narrowing: int) -> None:
        super().__init__()
        channels, growth = _FIRST_CHANNELS // narrowing, _GROWTH // narrowing
        self.start_features = nn.Sequential(
            OrderedDict[str, nn.Module](
                conv0=nn.Conv2d(3, channels, 7, 2, 3, bias=False),
                norm0=nn.BatchNorm2d(channels),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(3, 2, 1),
            )
        )
        # The published files contain every block under two names, by its index and by its type: the same tensors.
        self.blocks = nn.ModuleList()
        for number, count in enumerate(_DENSE_BLOCKS, 1):
            block = nn.Sequential()
            for layer in range(1, count + 1):
                block.add_module(f"denselayer{layer}", _DenseLayer(channels, growth))
                channels += growth
            self.blocks.append(block)
            setattr(self, f"denseblock{number}", block)
            if number < len(_DENSE_BLOCKS):
                transition = _transition(channels, halve_size=number == 1)
                channels //= 2
                self.blocks.append(transition)
                setattr(self, f"transition{number}", transition)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features of the last block."""
        x: torch.Tensor = self.start_features(images)
        for block in self.blocks:
            x = block(x)
        return x


def _transition(channels: int, *, halve_size: bool) -> nn.Sequential:
    # Only the first transition halves the size, so that the features stay at stride 8.
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            norm=nn.BatchNorm2d(channels),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(channels, channels // 2, 1, bias=False),
            pool=nn.AvgPool2d(2, 2) if halve_size else nn.Identity(),
        )
    )


class _Fire(nn.Module):
    """Fire module: a 1x1 convolution to few channels, then 1x1 and 3x3 convolutions in parallel."""

    def __init__(self, inputs: int, squeezed: int, expanded: int, dilation: int = 1) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=dilation, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, h, w) to (B, 2 expanded, h, w)."""
        squeezed = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], 1))


class _SqueezeNet(nn.Module):
    """SqueezeNet 1.1: maps (B, 3, H, W) to (B, 512, H/8, W/8)."""

    def __init__(self, narrowing: int) -> None:
        super().__init__()

        def fire(inputs: int, squeezed: int, expanded: int, dilation: int = 1) -> _Fire:
            return _Fire(inputs // narrowing, squeezed // narrowing, expanded // narrowing, dilation)

        self.feat_1 = nn.Sequential(nn.Conv2d(3, _FIRST_CHANNELS // narrowing, 3, 2, 1), nn.ReLU(inplace=True))
        self.feat_2 = nn.Sequential(nn.MaxPool2d(3, 2, 1), fire(64, 16, 64), fire(128, 16, 64))
        self.feat_3 = nn.Sequential(nn.MaxPool2d(3, 2, 1), fire(128, 32, 128, 2), fire(256, 32, 128, 2))
        self.feat_4 = nn.Sequential(
            fire(256, 48, 192, 4), fire(384, 48, 192, 4), fire(384, 64, 256, 4), fire(512, 64, 256, 4)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the last stage's features."""
        return cast("torch.Tensor", self.feat_4(self.feat_3(self.feat_2(self.feat_1(images)))))


@dataclass(frozen=True)
class Backbone:
    """Constructor and output size of a backbone."""

    build: Callable[[int], nn.Module]
    """Makes the backbone from the divisor of all channel counts."""
    channels: int
    """Channels of its features at narrowing 1."""
    middle_channels: int
    """Channels of the features that the image-level head of training receives."""


BACKBONES: dict[str, Backbone] = {
    "squeezenet": Backbone(_SqueezeNet, 512, 256),
    "densenet": Backbone(_DenseNet, 1024, 512),
    "resnet18": Backbone(partial(_ResNet, BasicBlock, (2, 2, 2, 2)), 512, 256),
    "resnet34": Backbone(partial(_ResNet, BasicBlock, (3, 4, 6, 3)), 512, 256),
    "resnet50": Backbone(partial(_ResNet, Bottleneck, (3, 4, 6, 3)), 2048, 1024),
    "resnet101": Backbone(partial(_ResNet, Bottleneck, (3, 4, 23, 3)), 2048, 1024),
    "resnet152": Backbone(partial(_ResNet, Bottleneck, (3, 8, 36, 3)), 2048, 1024),
}
"""Backbones by their names in that project."""
