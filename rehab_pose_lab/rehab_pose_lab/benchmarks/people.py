"""Benchmarks of what the people in the room use: the page in the browser, archives, files for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["PARTS", "people_metrics"]


def _page(log: Callable[[str], None]) -> dict[str, float]:
    from rehab_pose_lab.benchmarks.page import page_metrics  # noqa: PLC0415  (needs ROS)

    return page_metrics(log)


def _browser(log: Callable[[str], None]) -> dict[str, float]:
    from rehab_pose_lab.benchmarks.page import browser_metrics  # noqa: PLC0415

    return browser_metrics(log)


def _batch(log: Callable[[str], None]) -> dict[str, float]:
    from rehab_pose_lab.benchmarks.batch import batch_metrics  # noqa: PLC0415  (an extra)

    return batch_metrics(log)


def _exports(_log: Callable[[str], None]) -> dict[str, float]:
    from rehab_pose_lab.benchmarks.exports import export_metrics  # noqa: PLC0415  (an extra)

    return export_metrics()


PARTS: dict[str, Callable[[Callable[[str], None]], dict[str, float]]] = {
    "page": _page,
    "browser": _browser,
    "exports": _exports,
    "batch": _batch,
}
"""Each part takes a function for lines of text, and returns its metrics."""


def people_metrics(log: Callable[[str], None], parts: Sequence[str] = ()) -> dict[str, float]:
    """Return the metrics of some parts.

    Args:
        log: Receives a line of text for each event.
        parts: Names of PARTS; none = all.

    Raises:
        SettingsError: A name is unknown.
        RehabPoseError: A part could not be measured.
    """
    for name in parts:
        if name not in PARTS:
            msg = f"bench people: expected --part {', '.join(PARTS)}, got {name}"
            raise SettingsError(msg)
    metrics: dict[str, float] = {}
    for name in parts or PARTS:
        metrics |= PARTS[name](log)
    return metrics
