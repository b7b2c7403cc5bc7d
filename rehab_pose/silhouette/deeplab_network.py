"""DeepLabV3+ and DeepLabV3: from an RGB image to logits of the 21 classes of Pascal VOC.

Implemented after Chen et al. 2017 (arXiv 1706.05587: atrous spatial pyramid pooling) and 2018 (arXiv 1802.02611: the
decoder). Layers carry the names that published checkpoints use: DeepLabV3Plus-Pytorch for V3+, torchvision for V3.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from rehab_pose.residual_network import Bottleneck, ResidualNetwork, StageLayout

__all__ = ["RESNET_BLOCKS", "VOC_CLASSES", "DeepLabV3", "DeepLabV3Plus"]

RESNET_BLOCKS: dict[str, tuple[int, int, int, int]] = {
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
"""Number of bottlenecks in each of the four stages (He et al. 2015, table 1)."""
VOC_CLASSES = 21
"""Number of classes of Pascal VOC with the background."""
RATES: dict[int, tuple[int, int, int]] = {16: (6, 12, 18), 8: (12, 24, 36)}
"""Atrous rates by output stride; both have the same field of view in pixels of the image."""
PYRAMID_FACTOR = 4
"""Ratio of the channels of the pyramid and the decoder to the width of the backbone: 256 at width 64."""


def _backbone(blocks: tuple[int, int, int, int], width: int, output_stride: int) -> ResidualNetwork:
    """Return a ResNet whose stages dilate instead of striding once the output stride is reached.

    The first block of such a stage keeps the dilation of the stage before it.
    """
    stages: list[StageLayout] = []
    total_stride, dilation = 4, 1
    for number, count in enumerate(blocks):
        first_dilation, stride = dilation, 1
        if number and total_stride < output_stride:
            total_stride, stride = 2 * total_stride, 2
        elif number:
            dilation *= 2
        stages.append(StageLayout(count, stride, first_dilation, dilation))
    return ResidualNetwork(Bottleneck, stages, width)


def _convolution(inputs: int, outputs: int, size: int = 1, dilation: int = 1) -> list[nn.Module]:
    """Return a convolution that keeps the image size, batch normalisation and ReLU."""
    padding = dilation * (size // 2)
    return [
        nn.Conv2d(inputs, outputs, size, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


class _Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: 1x1, 3x3 at three rates, and the average over the image, concatenated."""

    def __init__(self, inputs: int, outputs: int, rates: tuple[int, int, int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            [
                nn.Sequential(*_convolution(inputs, outputs)),
                *(nn.Sequential(*_convolution(inputs, outputs, 3, rate)) for rate in rates),
                nn.Sequential(nn.AdaptiveAvgPool2d(1), *_convolution(inputs, outputs)),
            ]
        )
        self.project = nn.Sequential(*_convolution(5 * outputs, outputs), nn.Dropout(0.1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (B, inputs, h, w) to (B, outputs, h, w)."""
        size = x.shape[-2:]
        return cast("torch.Tensor", self.project(torch.cat([conv(x).expand(-1, -1, *size) for conv in self.convs], 1)))


def _enlarged(x: torch.Tensor, size: torch.Size) -> torch.Tensor:
    """Return features (B, C, h, w) interpolated bilinearly to a size (H, W)."""
    return nn.functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


class _Decoder(nn.Module):
    """Decoder of V3+: the pyramid's features, enlarged to stride 4, with the backbone's features at stride 4."""

    def __init__(self, width: int, classes: int, rates: tuple[int, int, int]) -> None:
        super().__init__()
        pyramid, low = PYRAMID_FACTOR * width, 3 * width // 4  # 256 and 48 channels at the published width
        self.project = nn.Sequential(*_convolution(Bottleneck.expansion * width, low))
        self.aspp = _Pyramid(Bottleneck.expansion * 8 * width, pyramid, rates)
        self.classifier = nn.Sequential(*_convolution(low + pyramid, pyramid, 3), nn.Conv2d(pyramid, classes, 1))

    def forward(self, low: torch.Tensor, deep: torch.Tensor) -> torch.Tensor:
        """Return logits (B, classes, H/4, W/4)."""
        context = _enlarged(self.aspp(deep), low.shape[-2:])
        return cast("torch.Tensor", self.classifier(torch.cat([self.project(low), context], 1)))


class DeepLabV3Plus(nn.Module):
    """DeepLabV3+: images (B, 3, H, W), standardised with ImageNet's mean and std, to logits (B, classes, H, W)."""

    def __init__(
        self,
        blocks: tuple[int, int, int, int] = RESNET_BLOCKS["resnet101"],
        classes: int = VOC_CLASSES,
        width: int = 64,
    ) -> None:
        """Make the layers; the output stride is 16 as in the paper.

        Args:
            blocks: Number of bottlenecks in each stage, from `RESNET_BLOCKS`.
            classes: Number of classes with the background; Pascal VOC has 21.
            width: Channels of the first layer, a multiple of 4, to which all others are proportional; published: 64.
        """
        super().__init__()
        self.backbone = _backbone(blocks, width, output_stride=16)
        self.classifier = _Decoder(width, classes, RATES[16])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (B, classes, H, W)."""
        return _enlarged(self.classifier(*self.backbone(images)), images.shape[-2:])


class DeepLabV3(nn.Module):
    """DeepLabV3: without the decoder of V3+, so by default with a smaller output stride; borders are coarser."""

    def __init__(
        self,
        blocks: tuple[int, int, int, int] = RESNET_BLOCKS["resnet101"],
        classes: int = VOC_CLASSES,
        width: int = 64,
        output_stride: int = 8,
    ) -> None:
        """Make the layers.

        Args:
            blocks: Number of bottlenecks in each stage, from `RESNET_BLOCKS`.
            classes: Number of classes with the background.
            width: Channels of the first layer.
            output_stride: 8 (torchvision's files) or 16 (DeepLabV3Plus-Pytorch's).
        """
        super().__init__()
        pyramid = PYRAMID_FACTOR * width
        self.backbone = _backbone(blocks, width, output_stride)
        self.classifier = nn.Sequential(
            _Pyramid(Bottleneck.expansion * 8 * width, pyramid, RATES[output_stride]),
            *_convolution(pyramid, pyramid, 3),
            nn.Conv2d(pyramid, classes, 1),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (B, classes, H, W)."""
        return _enlarged(self.classifier(self.backbone(images)[1]), images.shape[-2:])
