"""The source of the silhouette on /diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.silhouette.status import SilhouetteSource

if TYPE_CHECKING:
    from rehab_pose.ros.runtime.health import Health
    from rehab_pose.silhouette.status import SilhouetteStatus

__all__ = ["report_source"]

SOURCE = "silhouette from"
"""Key of the source of the silhouette on /diagnostics."""


def report_source(health: Health, status: SilhouetteStatus) -> None:
    """Show on /diagnostics from what the newest silhouette was computed, as a warning where colour cannot be used."""
    health.facts[SOURCE] = str(status)
    if status.source is SilhouetteSource.DEPTH and status.reason:
        health.warnings[SOURCE] = f"{SOURCE} {status}"
    else:
        health.warnings.pop(SOURCE, None)
