"""Settings of the bones."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["BoneSettings"]


@dataclass(frozen=True)
class BoneSettings(Settings):
    """Which bones are inferred."""

    with_ribs: bool = setting(True, "Infer the twelve pairs of ribs too")
