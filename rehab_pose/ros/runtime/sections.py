"""The sections of parameters, one a stage, and the settings behind each: one YAML file serves all nodes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehab_pose.settings import Settings

__all__ = ["SETTINGS_BY_SECTION", "settings_type"]

SETTINGS_BY_SECTION = {
    "node": "rehab_pose.ros.runtime.stage_node:NodeSettings",
    "camera": "rehab_pose.ros.io.camera_input:CameraSettings",
    "capture": "rehab_pose.capture.settings:CaptureSettings",
    "silhouette": "rehab_pose.silhouette.settings:SilhouetteSettings",
    "keypoints": "rehab_pose.keypoints.settings:KeypointSettings",
    "parts": "rehab_pose.parts.settings:PartSettings",
    "joints": "rehab_pose.joints.settings:JointSettings",
    "body": "rehab_pose.body.settings:BodySettings",
    "biomechanics": "rehab_pose.biomechanics.settings:BiomechanicsSettings",
    "anatomy": "rehab_pose.bones.settings:BoneSettings",
    "exercise": "rehab_pose.exercise.settings:ExerciseSettings",
    "session": "rehab_pose.session.controller:SessionSettings",
    "markers": "rehab_pose.nodes.markers:MarkerSettings",
    "simulation": "rehab_pose_sim.settings:SimulationSettings",
}
"""By name, so that a node loads only the settings it needs."""


def settings_type(section: str) -> type[Settings]:
    """Return the settings class of a section."""
    module, _, name = SETTINGS_BY_SECTION[section].partition(":")
    found: type[Settings] = getattr(importlib.import_module(module), name)
    return found
