"""The feature extractors of Single-Human-Parsing-LIP: ResNet, DenseNet-121 and SqueezeNet 1.1, all at stride 8.

Own code after He et al. 2015, Huang et al. 2016 and Iandola et al. 2016, with the strides, dilations and names of that
project's checkpoints. The ResNet differs from DeepLab's: a dilated stage begins with an undilated block.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BACKBONES", "Backbone"]

_FIRST_CHANNELS = 64
_STAGES = ((64, 1, 1), (128, 2, 1), (256, 1, 2), (512, 1, 4))
"""Width, stride and dilation of a ResNet's four stages: the last two dilate where the original strides."""
_BOTTLENECK_FACTOR = 4
_GROWTH = 32
"""Channels each dense layer adds."""
_DENSE_BLOCKS = (6, 12, 24, 16)


class _BasicBlock(nn.Module):
    """A residual block of two 3x3 convolutions (ResNet-18 and -34)."""

    factor = 1

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(inputs, width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, width, H / stride, W / stride)."""
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class _Bottleneck(nn.Module):
    """A residual block of 1x1, 3x3 and 1x1 convolutions (ResNet-50, -101 and -152)."""

    factor = _BOTTLENECK_FACTOR

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, self.factor * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(self.factor * width)
        self.downsample = _shortcut(inputs, self.factor * width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, 4 width, H / stride, W / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class _ResNet(nn.Module):
    """(B, 3, H, W) to (B, 512 or 2048, H/8, W/8)."""

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(self, block: type[_BasicBlock | _Bottleneck], counts: tuple[int, ...], narrowing: int) -> None:
        super().__init__()
        inputs = _FIRST_CHANNELS // narrowing
        self.conv1, self.bn1 = nn.Conv2d(3, inputs, 7, 2, 3, bias=False), nn.BatchNorm2d(inputs)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for number, ((published_width, stride, dilation), count) in enumerate(zip(_STAGES, counts, strict=True), 1):
            width = published_width // narrowing
            layers = [block(inputs, width, stride, 1)]
            inputs = block.factor * width
            layers += [block(inputs, width, 1, dilation) for _ in range(count - 1)]
            setattr(self, f"layer{number}", nn.Sequential(*layers))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the last stage's features."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        return cast("torch.Tensor", self.layer4(self.layer3(self.layer2(self.layer1(x)))))


class _DenseLayer(nn.Sequential):
    """Adds some channels that are computed from all before it."""

    def __init__(self, inputs: int, growth: int) -> None:
        inner = _BOTTLENECK_FACTOR * growth
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
        """(B, inputs, h, w) to (B, inputs + growth, h, w)."""
        y = x
        for layer in self:
            y = layer(y)
        return torch.cat([x, y], 1)


class _DenseNet(nn.Module):
    """(B, 3, H, W) to (B, 1024, H/8, W/8)."""

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
        # The published files name every block twice, by its place and by its kind: the same tensors.
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
        """Return the last block's features."""
        x: torch.Tensor = self.start_features(images)
        for block in self.blocks:
            x = block(x)
        return x


def _transition(channels: int, *, halve_size: bool) -> nn.Sequential:
    # Only the first halves the size, so that the features stay at stride 8.
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            norm=nn.BatchNorm2d(channels),
            relu=nn.ReLU(inplace=True),
            conv=nn.Conv2d(channels, channels // 2, 1, bias=False),
            pool=nn.AvgPool2d(2, 2) if halve_size else nn.Identity(),
        )
    )


class _Fire(nn.Module):
    """Squeeze to few channels, expand by 1x1 and 3x3 side by side."""

    def __init__(self, inputs: int, squeezed: int, expanded: int, dilation: int = 1) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=dilation, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, h, w) to (B, 2 expanded, h, w)."""
        squeezed = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], 1))


class _SqueezeNet(nn.Module):
    """(B, 3, H, W) to (B, 512, H/8, W/8)."""

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
    """How a backbone is made, and what comes out of it."""

    build: Callable[[int], nn.Module]
    """From the number that all channels are divided by."""
    channels: int
    """Of its features at narrowing 1."""
    middle_channels: int
    """Of the features that training's image-level head sees."""


BACKBONES: dict[str, Backbone] = {
    "squeezenet": Backbone(_SqueezeNet, 512, 256),
    "densenet": Backbone(_DenseNet, 1024, 512),
    "resnet18": Backbone(partial(_ResNet, _BasicBlock, (2, 2, 2, 2)), 512, 256),
    "resnet34": Backbone(partial(_ResNet, _BasicBlock, (3, 4, 6, 3)), 512, 256),
    "resnet50": Backbone(partial(_ResNet, _Bottleneck, (3, 4, 6, 3)), 2048, 1024),
    "resnet101": Backbone(partial(_ResNet, _Bottleneck, (3, 4, 23, 3)), 2048, 1024),
    "resnet152": Backbone(partial(_ResNet, _Bottleneck, (3, 8, 36, 3)), 2048, 1024),
}
"""By the names that project gives them."""
