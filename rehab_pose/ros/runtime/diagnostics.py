"""Conversion of a node's health report to diagnostic_msgs for /diagnostics."""

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
"""Prefix of the keys under which the number of publishers of an input is reported; the input's name follows."""


def diagnostic_array(stamp: Time, name: str, report: Report) -> DiagnosticArray:
    """Return a DiagnosticArray with one status: the report of a node."""
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
