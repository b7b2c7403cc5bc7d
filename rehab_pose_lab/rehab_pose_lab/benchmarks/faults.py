"""`rehab-pose-lab bench faults`: what is lost when programs are killed and recordings are damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose_lab.benchmarks.damaged_bags import damaged_bag_metrics
from rehab_pose_lab.benchmarks.session_kills import kill_metrics

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fault_metrics"]

CUTS, FLIPS = 20, 325
"""Number of damaged bags of each layout: 60 cuts of three layouts, 1,300 bags with flipped bits of four."""
KILLS = 100


def fault_metrics(log: Callable[[str], None], kills: int = KILLS) -> dict[str, float]:
    """Return the metrics of damaged bags and of a killed session node.

    Args:
        log: Called with lines about the progress.
        kills: Number of kills of the session node; 0 = only bags are measured.

    Raises:
        RehabPoseError: The session node does not start.
    """
    metrics = damaged_bag_metrics(CUTS, FLIPS, log)
    return {**metrics, **kill_metrics(kills, log)} if kills else metrics
