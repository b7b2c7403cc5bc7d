"""KIMORE's five exercises, whatever else the recogniser knows."""

from __future__ import annotations

from rehab_pose.exercise.catalogue import ARM_LIFTING, LATERAL_TRUNK_TILT, PELVIS_ROTATION, SQUAT, TRUNK_ROTATION

__all__ = ["KIMORE_EXERCISES"]

KIMORE_EXERCISES = (ARM_LIFTING, LATERAL_TRUNK_TILT, TRUNK_ROTATION, PELVIS_ROTATION, SQUAT)
"""Exercises 1 to 5 in the data set's numbering."""
