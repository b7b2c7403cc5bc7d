"""The reported joint angles, their signs, limits and sources, read from angle_model.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rehab_pose.errors import ModelFileError

__all__ = ["AngleModel", "AngleSpec", "load_angle_model"]

SHIPPED_MODEL = Path(__file__).parent / "angle_model.yaml"


@dataclass(frozen=True)
class AngleSpec:
    """One joint angle."""

    name: str
    lower_rad: float
    """Lower limit of the output [rad]."""
    upper_rad: float
    """Upper limit of the output [rad]."""
    normal_rad: tuple[float, float]
    """Active range of healthy adults [rad]."""
    confidence: float
    """Of the angle itself, 0 to 1, apart from the fit."""
    source: str
    """Of the limits."""
    positive: str
    """Direction of a positive angle, in words."""


@dataclass(frozen=True)
class AngleModel:
    """All joint angles in the order of the output."""

    angles: tuple[AngleSpec, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(spec.name for spec in self.angles)


def _specs(entry: dict[str, Any]) -> list[AngleSpec]:
    sides = ("left_", "right_") if entry.get("side", False) else ("",)
    lower, upper, normal = entry["lower"], entry["upper"], entry["normal"]
    if not lower < upper or len(normal) != 2:
        msg = f"angle {entry['name']}: expected lower < upper and two numbers in normal, got {entry}"
        raise ModelFileError(msg)
    return [
        AngleSpec(
            name=side + entry["name"],
            lower_rad=float(np.deg2rad(lower)),
            upper_rad=float(np.deg2rad(upper)),
            normal_rad=(float(np.deg2rad(normal[0])), float(np.deg2rad(normal[1]))),
            confidence=float(entry["confidence"]),
            source=entry["source"],
            positive=entry["positive"],
        )
        for side in sides
    ]


def load_angle_model(path: str = "") -> AngleModel:
    """Read the joint angles; empty path = the file in this package.

    Raises:
        ModelFileError: The file is missing, is not YAML, or an entry is incomplete.
    """
    file = Path(path) if path else SHIPPED_MODEL
    if not file.is_file():
        msg = f"angle model: expected a file at {file}, found none; check model_path"
        raise ModelFileError(msg)
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        specs = [spec for entry in content["angles"] for spec in _specs(entry)]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, ModelFileError):
            raise
        msg = f"angle model: {file} cannot be used ({error!r}); compare it with {SHIPPED_MODEL}"
        raise ModelFileError(msg) from error
    return AngleModel(tuple(specs))
