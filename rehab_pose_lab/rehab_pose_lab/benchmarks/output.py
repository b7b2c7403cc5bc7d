"""Output of metrics, as JSON for programs and as lines of text for the terminal."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["metrics_json", "metrics_table", "rounded_metrics"]


def rounded_metrics(metrics: Mapping[str, float], digits: int = 4) -> dict[str, float | None]:
    """Return metrics rounded to some digits after the decimal point; None where a value is not finite."""
    return {name: round(value, digits) if math.isfinite(value) else None for name, value in metrics.items()}


def metrics_json(metrics: Mapping[str, Any]) -> str:
    """Return one JSON object; numbers that are not finite become null."""
    return json.dumps({name: _finite(value) for name, value in metrics.items()}, indent=1)


def metrics_table(
    metrics: Mapping[str, Any], reference: Mapping[str, float] | None = None, *, titles: tuple[str, str] = ("", "")
) -> list[str]:
    """Return one line per number: its name, the value, and the reference where there is one.

    Args:
        metrics: Values by name; those that are not numbers are left out.
        reference: Values of another method by name.
        titles: Titles of the two columns, where there is a reference.
    """
    numbers = {name: value for name, value in metrics.items() if isinstance(value, (int, float))}
    width = max((len(name) for name in numbers), default=0) + 2
    lines = [] if reference is None else [f"{'':{width}s}{titles[0]:>12s}{titles[1]:>12s}"]
    for name, value in numbers.items():
        other = f"{reference[name]:12.4f}" if reference is not None and name in reference else ""
        lines.append(f"{name:{width}s}{value:12.4f}{other}")
    return lines


def _finite(value: Any) -> Any:  # noqa: ANN401  (metrics may be nested)
    return None if isinstance(value, float) and not math.isfinite(value) else value
