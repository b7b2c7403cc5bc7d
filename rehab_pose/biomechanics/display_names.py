"""Names of the joint angles in the words of a clinician, for pages and reports."""

from __future__ import annotations

__all__ = ["angle_display_name"]

_SIDES = ("left", "right")
_NAMES = {
    "trunk_lateral_tilt": "trunk lateral flexion",
    "trunk_axial_rotation": "trunk rotation",
    "lumbar_lateral_tilt": "lumbar lateral flexion",
    "lumbar_axial_rotation": "lumbar rotation",
    "pelvis_tilt": "anterior pelvic tilt",
    "pelvis_obliquity": "pelvic obliquity",
    "pelvis_rotation": "pelvic rotation",
    "hip_rotation": "hip internal rotation",
    "shoulder_elevation_plane": "plane of shoulder elevation",
}
"""Angles whose clinical name (American Academy of Orthopaedic Surgeons; Wu et al. 2002, 2005) is not their own in
plain words; the direction of the name is the positive one of angle_model.yaml."""


def angle_display_name(name: str) -> str:
    """Return the clinical name of an angle, for example `left knee flexion` for left_knee_flexion.

    Names that are not in the angle model are made readable.
    """
    side, _, rest = name.partition("_")
    if side not in _SIDES:
        side, rest = "", name
    words = _NAMES.get(rest, rest.replace("_", " "))
    return f"{side} {words}".strip()
