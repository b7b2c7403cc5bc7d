"""DeepLabV3+ and DeepLabV3: an RGB image to the scores of Pascal VOC's 21 classes.

Own code after Chen et al. 2017 (arXiv 1706.05587: atrous spatial pyramid pooling) and 2018 (arXiv 1802.02611: the
decoder). Layers carry the names that published checkpoints use: DeepLabV3Plus-Pytorch for V3+, torchvision for V3.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

__all__ = ["RESNET_BLOCKS", "DeepLabV3", "DeepLabV3Plus"]

RESNET_BLOCKS: dict[str, tuple[int, int, int, int]] = {
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
"""Bottlenecks in each of the four stages (He et al. 2015, table 1)."""
VOC_CLASSES = 21
EXPANSION = 4
"""A bottleneck ends with this many times its width."""
RATES: dict[int, tuple[int, int, int]] = {16: (6, 12, 18), 8: (12, 24, 36)}
"""Atrous rates by output stride: the same reach in pixels of the image."""
PYRAMID_FACTOR = 4
"""Channels of the pyramid and the decoder for each of the backbone's width: 256 at 64."""


class _Bottleneck(nn.Module):
    """A residual block: 1x1, 3x3 (strided or dilated), 1x1."""

    def __init__(self, inputs: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        outputs = EXPANSION * width
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, inputs, H, W) to (B, 4 width, H / stride, W / stride)."""
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(self.bn3(self.conv3(y)) + shortcut)


class _ResNet(nn.Module):
    """The backbone: features at stride 4 and at the output stride."""

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(self, blocks: tuple[int, int, int, int], width: int, output_stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs, reached, dilation = width, 4, 1
        for stage, count in enumerate(blocks):
            # From the output stride on, a stage dilates instead of striding; its first block keeps the dilation before.
            first_dilation, stride = dilation, 1
            if stage and reached < output_stride:
                reached, stride = 2 * reached, 2
            elif stage:
                dilation *= 2
            layers = [_Bottleneck(inputs, width << stage, stride, first_dilation)]
            inputs = EXPANSION * (width << stage)
            layers += [_Bottleneck(inputs, width << stage, 1, dilation) for _ in range(count - 1)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (B, 4 width, H/4, W/4) and (B, 32 width, H/stride, W/stride)."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        low = cast("torch.Tensor", self.layer1(x))
        deep = cast("torch.Tensor", self.layer4(self.layer3(self.layer2(low))))
        return low, deep


def _convolution(inputs: int, outputs: int, size: int = 1, dilation: int = 1) -> list[nn.Module]:
    padding = dilation * (size // 2)
    return [
        nn.Conv2d(inputs, outputs, size, padding=padding, dilation=dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


class _Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: the same features at three rates, alone, and averaged over the image."""

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
        """(B, inputs, h, w) to (B, outputs, h, w)."""
        size = x.shape[-2:]
        return cast("torch.Tensor", self.project(torch.cat([conv(x).expand(-1, -1, *size) for conv in self.convs], 1)))


def _enlarged(x: torch.Tensor, size: torch.Size) -> torch.Tensor:
    return nn.functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


class _Decoder(nn.Module):
    """The pyramid's features, enlarged to stride 4 and joined with the edges that are still seen there."""

    def __init__(self, width: int, classes: int, rates: tuple[int, int, int]) -> None:
        super().__init__()
        pyramid, low = PYRAMID_FACTOR * width, 3 * width // 4  # 256 and 48 channels at the published width
        self.project = nn.Sequential(*_convolution(EXPANSION * width, low))
        self.aspp = _Pyramid(EXPANSION * 8 * width, pyramid, rates)
        self.classifier = nn.Sequential(*_convolution(low + pyramid, pyramid, 3), nn.Conv2d(pyramid, classes, 1))

    def forward(self, low: torch.Tensor, deep: torch.Tensor) -> torch.Tensor:
        """Return scores (B, classes, H/4, W/4)."""
        context = _enlarged(self.aspp(deep), low.shape[-2:])
        return cast("torch.Tensor", self.classifier(torch.cat([self.project(low), context], 1)))


class DeepLabV3Plus(nn.Module):
    """Images (B, 3, H, W), standardised by ImageNet's mean and deviation, to logits (B, classes, H, W)."""

    def __init__(
        self,
        blocks: tuple[int, int, int, int] = RESNET_BLOCKS["resnet101"],
        classes: int = VOC_CLASSES,
        width: int = 64,
    ) -> None:
        """Make the layers; output stride 16 as in the paper.

        Args:
            blocks: Bottlenecks in each stage, from `RESNET_BLOCKS`.
            classes: Classes with the background; Pascal VOC has 21.
            width: Channels of the first layer, a multiple of 4; every other layer scales with it. Published: 64.
        """
        super().__init__()
        self.backbone = _ResNet(blocks, width, output_stride=16)
        self.classifier = _Decoder(width, classes, RATES[16])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (B, classes, H, W)."""
        return _enlarged(self.classifier(*self.backbone(images)), images.shape[-2:])


class DeepLabV3(nn.Module):
    """The same without the decoder: finer stride, coarser borders."""

    def __init__(
        self,
        blocks: tuple[int, int, int, int] = RESNET_BLOCKS["resnet101"],
        classes: int = VOC_CLASSES,
        width: int = 64,
        output_stride: int = 8,
    ) -> None:
        """Make the layers.

        Args:
            blocks: As in `DeepLabV3Plus`, and the next two.
            classes: Classes with the background.
            width: Channels of the first layer.
            output_stride: 8 (torchvision's files) or 16 (DeepLabV3Plus-Pytorch's).
        """
        super().__init__()
        pyramid = PYRAMID_FACTOR * width
        self.backbone = _ResNet(blocks, width, output_stride)
        self.classifier = nn.Sequential(
            _Pyramid(EXPANSION * 8 * width, pyramid, RATES[output_stride]),
            *_convolution(pyramid, pyramid, 3),
            nn.Conv2d(pyramid, classes, 1),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return logits (B, classes, H, W)."""
        return _enlarged(self.classifier(self.backbone(images)[1]), images.shape[-2:])
