"""Frames that the recogniser drops because of their stamps, on /diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.exercise.stamp_filter import StampVerdict

if TYPE_CHECKING:
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["report_stamp"]

ZERO_STAMPS = "expected the camera's stamps, got zero again and again; set them in the driver of the camera"
"""Error while the stamps are zero."""


def report_stamp(node: StageNode, verdict: StampVerdict) -> None:
    """Count a frame that was dropped because of its stamp, by reason, and report stamps of zero as an error."""
    if verdict.drops:
        node.health.drop(verdict.value)
    if verdict is StampVerdict.ZERO:
        node.report_error(ZERO_STAMPS)
