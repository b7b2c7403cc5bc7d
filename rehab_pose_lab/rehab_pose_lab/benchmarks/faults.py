"""`rehab-pose-lab bench faults`: what is lost, left or opened when programs and recordings are damaged, or run long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehab_pose.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PARTS", "FaultPlan", "fault_metrics"]

CUTS, FLIPS = 20, 325
"""Number of damaged bags of each layout: 60 cuts of three layouts, 1,300 bags with flipped bits of four."""
PARTS = ("bags", "session", "graph", "signals", "sockets", "soak", "fuzz")
SUMMED = ("repetitions", "repetitions_lost", "repetitions_doubled")
"""Metrics of kills of the session node and of kills of any node that are added."""


@dataclass(frozen=True)
class FaultPlan:
    """Parts of the benchmark and their lengths."""

    parts: Sequence[str] = PARTS
    kills: int = 100
    """Kills of the session node, and kills of any process of the graph."""
    signals: int = 200
    soak_minutes: float = 30.0
    soak_slowed: bool = False
    """The camera of the long run is slowed as this machine is."""
    fuzz_inputs: int = 200_000
    seed: int = 0


def fault_metrics(log: Callable[[str], None], plan: FaultPlan) -> dict[str, float]:
    """Return the metrics of the chosen parts.

    Args:
        log: Called with lines about the progress.
        plan: Parts and lengths.

    Raises:
        SettingsError: A part is unknown or a length cannot be.
        RehabPoseError: A program does not start.
    """
    unknown = [part for part in plan.parts if part not in PARTS]
    if unknown:
        msg = f"bench faults: expected parts from {', '.join(PARTS)}, got {', '.join(unknown)}"
        raise SettingsError(msg)
    if min(plan.kills, plan.signals, plan.fuzz_inputs) < 1 or not plan.soak_minutes > 0.0:
        msg = "bench faults: expected numbers of kills, signals, inputs and minutes above 0"
        raise SettingsError(msg)
    metrics: dict[str, float] = {}
    for part in PARTS:
        if part in plan.parts:
            log(f"part {part}")
            found = _measured(part, plan, log)
            added = {name: metrics[name] + found[name] for name in SUMMED if name in metrics and name in found}
            metrics = {**metrics, **found, **added}
    return metrics


def _measured(part: str, plan: FaultPlan, log: Callable[[str], None]) -> dict[str, float]:
    """Return the metrics of a part; each is imported only when it runs."""
    if part == "bags":
        from rehab_pose_lab.benchmarks.damaged_bags import damaged_bag_metrics  # noqa: PLC0415

        return damaged_bag_metrics(CUTS, FLIPS, log)
    if part == "session":
        from rehab_pose_lab.benchmarks.session_kills import kill_metrics  # noqa: PLC0415

        found = kill_metrics(plan.kills, log, plan.seed)
        return {
            f"session_{name}" if name == "kills" or name.startswith("respawn") else name: found[name] for name in found
        }
    if part == "graph":
        from rehab_pose_lab.benchmarks.graph_kills import graph_kill_metrics  # noqa: PLC0415

        return graph_kill_metrics(plan.kills, log, plan.seed)
    if part == "signals":
        from rehab_pose_lab.benchmarks.stop_signals import signal_metrics  # noqa: PLC0415

        return signal_metrics(plan.signals, log, plan.seed)
    if part == "fuzz":
        from rehab_pose_lab.fuzzing.runner import fuzz, fuzz_metrics  # noqa: PLC0415

        return fuzz_metrics(fuzz(inputs=plan.fuzz_inputs, seconds=None, first_seed=plan.seed, log=log))
    from rehab_pose_lab.benchmarks.soak import soak_metrics, socket_metrics  # noqa: PLC0415

    return socket_metrics(log) if part == "sockets" else soak_metrics(plan.soak_minutes, log, slowed=plan.soak_slowed)
