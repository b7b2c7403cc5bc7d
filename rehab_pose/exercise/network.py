"""The recogniser's network: a Transformer encoder over the samples of a window (Eq 31-38 of 3D-PoseFormer).

Training builds it with torch and writes ONNX; the exercise stage itself runs the ONNX file and never imports this.
"""

from __future__ import annotations

import torch
from torch import nn

from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.features import FEATURE_COUNT, WINDOW_SAMPLES

__all__ = ["ExerciseNetwork"]

ABSENT = -1e4
"""Added to the attention towards a sample that is not there; exp of it is 0."""


class EncoderLayer(nn.Module):
    """Multi-head self-attention and a feed-forward part, each with normalisation before and a residual around."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.norm_forward = nn.LayerNorm(width)
        self.forward_part = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Return (B, T, width) from (B, T, width) and the additive attention bias (B, 1, 1, T)."""
        batch, length, width = tokens.shape
        projected = self.project(self.norm_attention(tokens)).reshape(batch, length, 3, self.heads, -1)
        query, key, value = projected.permute(2, 0, 3, 1, 4).unbind(0)
        weights = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5 + bias
        attended = (torch.softmax(weights, dim=-1) @ value).permute(0, 2, 1, 3).reshape(batch, length, width)
        tokens = tokens + self.dropout(self.merge(attended))
        result: torch.Tensor = tokens + self.dropout(self.forward_part(self.norm_forward(tokens)))
        return result


class ExerciseNetwork(nn.Module):
    """Features and presence of a window to one logit a label."""

    def __init__(
        self, width: int = 128, heads: int = 8, layers: int = 4, hidden: int = 384, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(FEATURE_COUNT, width)
        self.positions = nn.Parameter(0.02 * torch.randn(1, WINDOW_SAMPLES, width))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(EncoderLayer(width, heads, hidden, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, len(LABELS))

    def forward(self, features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return logits (B, C) from features (B, T, F) and presence (B, T) of 0 and 1."""
        tokens = self.dropout(self.embed(features) + self.positions)
        bias = ((1.0 - present) * ABSENT)[:, None, None, :]
        for layer in self.layers:
            tokens = layer(tokens, bias)
        weights = present[..., None]
        pooled = (self.norm(tokens) * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
        logits: torch.Tensor = self.head(pooled)
        return logits
