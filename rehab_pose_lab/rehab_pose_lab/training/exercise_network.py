"""The recogniser's network: an ensemble of Transformer encoders (Eq 31-38 of 3D-PoseFormer) and statistics networks.

It is trained with torch and exported to ONNX; the exercise stage runs the ONNX file and does not import this module.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from torch.nn import functional

from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.feature_streams import STREAM_COUNT
from rehab_pose.exercise.window_features import WINDOW_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ExerciseNetwork", "ExportedNetwork", "NetworkSettings"]

ABSENT = 1e4
"""Subtracted from the attention logits of an absent sample; exp of its negative is 0."""
SCALED_LIMIT = 6.0
"""Inputs are limited to this many standard deviations from the mean."""
STATISTICS = 4
"""Statistics of each input: mean, standard deviation, maximum, minimum."""
INITIAL_FRACTION = 0.3
"""Scale of the last layer's initial weights relative to 1 / sqrt(inputs)."""
INPUT_DROPOUT, HIDDEN_DROPOUT = 0.1, 0.3
"""Dropout of the statistics networks."""


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes. Those of the paper: width 512, hidden 2048, 4 layers, patch 1, encoders 1, statistics 0."""

    width: int = 96
    heads: int = 8
    layers: int = 3
    hidden: int = 256
    patch: int = 4
    """Samples per token; a divisor of WINDOW_SAMPLES."""
    dropout: float = 0.1
    encoders: int = 1
    """Number of Transformers whose logits are averaged."""
    statistics: int = 8
    """Number of small networks on statistics of the window, averaged with the encoders."""
    statistics_width: int = 96
    statistics_fraction: float = 0.5
    """Fraction of the statistics that each of these networks gets."""
    inputs: int = STREAM_COUNT
    """Features per sample; more where further streams are used."""
    classes: int = len(LABELS)
    """Number of labels, including `none`."""
    movements: int = 0
    """Number of movements of all sets that the network also learns to tell apart, so that its embedding separates
    movements that are no label yet; they are no output of the exported file."""


class EncoderLayer(nn.Module):
    """Multi-head self-attention and a feed-forward part, each with pre-normalisation and a residual connection."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        width, dropout = settings.width, settings.dropout
        self.heads = settings.heads
        self.norm_attention = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.norm_forward = nn.LayerNorm(width)
        self.forward_part = nn.Sequential(
            nn.Linear(width, settings.hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(settings.hidden, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Return (B, L, width) from (B, L, width) and the additive attention bias (B, 1, 1, L)."""
        batch, length, width = tokens.shape
        projected = self.project(self.norm_attention(tokens)).reshape(batch, length, 3, self.heads, -1)
        query, key, value = projected.permute(2, 0, 3, 1, 4).unbind(0)
        weights = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5 + bias
        attended = (torch.softmax(weights, dim=-1) @ value).permute(0, 2, 1, 3).reshape(batch, length, width)
        tokens = tokens + self.dropout(self.merge(attended))
        result: torch.Tensor = tokens + self.dropout(self.forward_part(self.norm_forward(tokens)))
        return result


class Encoder(nn.Module):
    """One Transformer over patches of samples, then mean and maximum over the present tokens, then logits."""

    def __init__(self, settings: NetworkSettings, outputs: int) -> None:
        super().__init__()
        self.tokens, self.inputs = WINDOW_SAMPLES // settings.patch, settings.inputs * settings.patch
        self.embed = nn.Linear(settings.inputs * settings.patch, settings.width)
        self.positions = nn.Parameter(0.02 * torch.randn(1, self.tokens, settings.width))
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(EncoderLayer(settings) for _ in range(settings.layers))
        self.norm = nn.LayerNorm(settings.width)
        self.head = nn.Sequential(nn.Dropout(settings.dropout), nn.Linear(2 * settings.width, outputs))

    def forward(self, features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return logits (B, O) from features (B, T, F), zero where absent, and presence (B, T)."""
        return self.classify(self.embed_window(features, present))

    def classify(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return logits (B, O) from the result of `embed_window`."""
        logits: torch.Tensor = self.head(embedding)
        return logits

    def embed_window(self, features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return mean and maximum over the present tokens (B, 2 width), from which the logits are computed."""
        patches = features.reshape(-1, self.tokens, self.inputs)
        valid = present.reshape(-1, self.tokens, WINDOW_SAMPLES // self.tokens).amax(dim=-1)
        tokens = self.dropout(self.embed(patches) + self.positions)
        bias = ((valid - 1.0) * ABSENT)[:, None, None, :]
        for layer in self.layers:
            tokens = layer(tokens, bias)
        tokens, weights = self.norm(tokens), valid[..., None]
        mean = (tokens * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1.0)
        largest = (tokens - (1.0 - weights) * ABSENT).amax(dim=1)
        return torch.cat([mean, largest], dim=-1)


class StatisticsNetworks(nn.Module):
    """Several small networks in parallel, each on a random part of the statistics of the window."""

    def __init__(self, settings: NetworkSettings, outputs: int) -> None:
        super().__init__()
        count, inputs, width = settings.statistics, STATISTICS * settings.inputs, settings.statistics_width
        self.chosen: torch.Tensor
        self.register_buffer("chosen", (torch.rand(count, 1, inputs) < settings.statistics_fraction).float())
        sizes = (inputs, width, 2 * width // 3, outputs)
        scales = (
            (settings.statistics_fraction * inputs) ** -0.5,
            (2.0 / width) ** 0.5,
            INITIAL_FRACTION * sizes[2] ** -0.5,
        )
        self.weights = nn.ParameterList(
            scale * torch.randn(count, size_in, size_out)
            for scale, size_in, size_out in zip(scales, sizes[:-1], sizes[1:], strict=True)
        )
        self.biases = nn.ParameterList(torch.zeros(count, 1, after) for after in sizes[1:])

    def forward(self, features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return logits (K, B, O) from features (B, T, F), zero where absent, and presence (B, T)."""
        return self.classify(self.embed_window(features, present))

    def classify(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return logits (K, B, O) from the result of `embed_window`."""
        logits: torch.Tensor = embedding @ self.weights[-1] + self.biases[-1]
        return logits

    def embed_window(self, features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return the last hidden layer of every network (K, B, H)."""
        valid = present[..., None]
        count = valid.sum(dim=1).clamp(min=1.0)
        mean = features.sum(dim=1) / count
        std = ((((features - mean[:, None]) * valid) ** 2).sum(dim=1) / count + 1e-6).sqrt()
        largest = (features - (1.0 - valid) * ABSENT).amax(dim=1).clamp(min=-SCALED_LIMIT)
        smallest = (features + (1.0 - valid) * ABSENT).amin(dim=1).clamp(max=SCALED_LIMIT)
        values = torch.cat([mean, std, largest, smallest], dim=-1)[None] * self.chosen
        values = functional.dropout(values, INPUT_DROPOUT, self.training)
        for weight, bias in zip(list(self.weights)[:-1], list(self.biases)[:-1], strict=True):
            values = functional.dropout(functional.gelu(values @ weight + bias), HIDDEN_DROPOUT, self.training)
        return values


class ExerciseNetwork(nn.Module):
    """Features and presence of a window to logits of all labels, and to logits among the exercises."""

    def __init__(self, settings: NetworkSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or NetworkSettings()
        outputs = 2 * self.settings.classes - 1 + self.settings.movements
        self.centre: torch.Tensor
        self.scale: torch.Tensor
        self.register_buffer("centre", torch.zeros(self.settings.inputs))
        self.register_buffer("scale", torch.ones(self.settings.inputs))
        self.encoders = nn.ModuleList(Encoder(self.settings, outputs) for _ in range(self.settings.encoders))
        self.statistics = StatisticsNetworks(self.settings, outputs) if self.settings.statistics else None

    def scale_to(self, samples: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> None:
        """Set the input's mean and scale from features (B, T, F) and presence (B, T)."""
        rows = torch.cat([features[present > 0] for features, present in samples])
        self.centre.copy_(rows.mean(dim=0))
        self.scale.copy_(1.0 / (rows.std(dim=0) + 0.1))

    def members(self, features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return the logits of every member (K, B, 2 C - 1 + M): of all labels, among the exercises, of movements."""
        scaled = self._scaled(features, present)
        logits = [encoder(scaled, present)[None] for encoder in self.encoders]
        if self.statistics is not None:
            logits.append(self.statistics(scaled, present))
        return torch.cat(logits, dim=0)

    def forward(self, features: torch.Tensor, present: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return logits of all labels (B, C) and among the exercises (B, C - 1).

        The mean of the encoders and the mean of the statistics networks have equal weight.
        """
        return self._means(self.members(features, present))

    def with_embedding(
        self, features: torch.Tensor, present: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the results of `forward`, and the values (B, E) from which all members compute their logits.

        The encoders' values are the first. Each member's values are computed once.
        """
        scaled = self._scaled(features, present)
        encoders = [cast("Encoder", encoder) for encoder in self.encoders]
        embeddings = [encoder.embed_window(scaled, present) for encoder in encoders]
        logits = [encoder.classify(values)[None] for encoder, values in zip(encoders, embeddings, strict=True)]
        if self.statistics is not None:
            hidden = self.statistics.embed_window(scaled, present)
            embeddings.extend(hidden.unbind(0))
            logits.append(self.statistics.classify(hidden))
        return *self._means(torch.cat(logits, dim=0)), torch.cat(embeddings, dim=-1)

    def _means(self, logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the means of all members' logits: of all labels (B, C) and among the exercises (B, C - 1)."""
        count = self.settings.encoders
        groups = [part.mean(dim=0) for part in (logits[:count], logits[count:]) if part.shape[0]]
        mean = torch.stack(groups).mean(dim=0)
        classes = self.settings.classes
        return mean[:, :classes], mean[:, classes : 2 * classes - 1]

    def _scaled(self, features: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return standardised and limited features (B, T, F), zero where absent."""
        return ((features - self.centre) * self.scale).clamp(-SCALED_LIMIT, SCALED_LIMIT) * present[..., None]


class ExportedNetwork(nn.Module):
    """The network with its embedding as a third output, as it is written to the ONNX file."""

    def __init__(self, network: ExerciseNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: torch.Tensor, present: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits of all labels (B, C), among the exercises (B, C - 1), and the embedding (B, E)."""
        return self.network.with_embedding(features, present)
