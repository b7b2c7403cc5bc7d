"""Health to diagnostic_msgs on /diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

if TYPE_CHECKING:
    from builtin_interfaces.msg import Time

    from rehab_pose.ros.runtime.health import Report

__all__ = ["DIAGNOSTICS_TOPIC", "PUBLISHERS", "diagnostic_array"]

DIAGNOSTICS_TOPIC = "/diagnostics"
HARDWARE_ID = "rehab_pose"
PUBLISHERS = "publishers: "
"""Key, with an input's name behind it, of how many publishers that input has."""


def diagnostic_array(stamp: Time, name: str, report: Report) -> DiagnosticArray:
    """Return a DiagnosticArray with the one status of a node."""
    status = DiagnosticStatus(
        level=bytes([report.level]),
        name=name,
        message=report.message,
        hardware_id=HARDWARE_ID,
        values=[KeyValue(key=key, value=value) for key, value in report.values.items()],
    )
    array = DiagnosticArray(status=[status])
    array.header.stamp = stamp
    return array
