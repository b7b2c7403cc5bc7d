"""Quality of a repetition: its measures relative to those of healthy people in the same exercise."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.quality_measures import MEASURES, Unit, repetition_measures
from rehab_pose.exercise.window_features import torso_lengths_m

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["SHIPPED_NORMS", "Norm", "Norms", "QualityAssessment", "QualityAssessor", "load_norms"]

SHIPPED_NORMS = Path(__file__).parent / "weights" / "repetition_norms.json"
FREE_STDS = 1.0
"""Deviations from the median up to this many standard deviations do not reduce the quality."""
MAX_EXCESS_STDS = 4.0
"""The excess of a measure is clipped to this many standard deviations, so that one wrong joint does not dominate."""
QUALITY_STDS = 1.25
"""Mean excess in standard deviations at which the quality is 1/e."""
REASON_STDS = 2.5
"""A measure is reported as a reason if it deviates by at least this many standard deviations and by
REASON_DIFFERENCE."""
REASON_DIFFERENCE = {Unit.ANGLE: np.radians(10.0), Unit.LENGTH: 0.10, Unit.TIME: 1.5}
"""Smallest deviation of a reason by the measure's unit [rad, torso lengths, s]."""
MAX_REASONS = 3
"""Largest number of reasons reported for a repetition."""
MIN_MEASURES = 8
"""Smallest number of finite measures; with fewer the quality is NaN."""


@dataclass(frozen=True)
class Norm:
    """Distribution of one measure over the repetitions of one exercise by healthy people."""

    median: float
    std: float
    """Robust standard deviation over people and repetitions: 1.4826 times the median absolute deviation."""


Norms = dict[str, dict[str, Norm]]
"""Norms by exercise and measure."""


@dataclass(frozen=True)
class QualityAssessment:
    """Quality of one repetition."""

    quality: float
    """0-1; 1 = within the range of healthy people; NaN = not assessed."""
    reasons: tuple[str, ...]
    """Unusual measures in words, the most unusual first."""


@cache
def load_norms(path: Path = SHIPPED_NORMS) -> Norms:
    """Return the norms from a file written by `rehab-pose-lab train quality`.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        norms = {
            label: {name: Norm(float(entry["median"]), float(entry["std"])) for name, entry in measures.items()}
            for label, measures in content["norms"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"repetition norms: expected the JSON file of `rehab-pose-lab train quality` at {path}, got {error!r}"
        raise ModelFileError(msg) from error
    wrong = [label for label in EXERCISES if set(norms.get(label, ())) != set(MEASURES)]
    if wrong or any(norm.std <= 0.0 for measures in norms.values() for norm in measures.values()):
        msg = f"repetition norms {path}: expected every measure of every exercise with a std above 0; train them again"
        raise ModelFileError(msg)
    return norms


class QualityAssessor:
    """Assesses repetitions by comparison with norms."""

    def __init__(self, norms: Norms | None = None) -> None:
        """Use the given norms, or load the shipped ones.

        Args:
            norms: Norms by exercise and measure; None = the shipped ones.

        Raises:
            ModelFileError: The shipped file is missing or damaged.
        """
        self._norms = norms or load_norms()

    def assess(
        self,
        label: str,
        number: int,
        stamps_ns: NDArray[np.int64],
        positions_m: NDArray[Any],
        axes: NDArray[Any],
    ) -> QualityAssessment:
        """Return the quality of one repetition.

        Args:
            label: The exercise.
            number: Number of the repetition in its set, for the reasons.
            stamps_ns: (T) of its frames [ns].
            positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
            axes: (3, 3) rows: the person's left, up, front.
        """
        measures = repetition_measures(stamps_ns, positions_m, axes)
        torso_m = float(torso_lengths_m(np.asarray(positions_m)[None])[0])
        return assess_measures(self._norms[label], number, measures, torso_m)


def assess_measures(
    norms: Mapping[str, Norm], number: int, measures: Mapping[str, float], torso_m: float
) -> QualityAssessment:
    """Return the quality of a repetition from its measures.

    Args:
        norms: Norms of its exercise by measure.
        number: Number of the repetition in its set.
        measures: Values by name; NaN = missing.
        torso_m: Length of the person's torso, to express lengths in centimetres [m].
    """
    deviations = {
        name: (measures[name] - norm.median) / norm.std for name, norm in norms.items() if np.isfinite(measures[name])
    }
    if len(deviations) < MIN_MEASURES:
        return QualityAssessment(float("nan"), ())
    excess = np.clip(np.abs(np.array(list(deviations.values()))) - FREE_STDS, 0.0, MAX_EXCESS_STDS)
    unusual = [
        name
        for name in sorted(deviations, key=lambda name: -abs(deviations[name]))
        if abs(deviations[name]) >= REASON_STDS
        and abs(measures[name] - norms[name].median) >= REASON_DIFFERENCE[MEASURES[name].unit]
    ]
    reasons = tuple(
        f"repetition {number}: {_in_words(name, measures[name] - norms[name].median, torso_m)}"
        for name in unusual[:MAX_REASONS]
    )
    return QualityAssessment(float(np.exp(-excess.mean() / QUALITY_STDS)), reasons)


def _in_words(name: str, difference: float, torso_m: float) -> str:
    measure = MEASURES[name]
    more = "more" if difference > 0 else "less"
    size = abs(difference)
    if measure.unit is Unit.TIME:
        return f"{measure.words} {size:.1f} s {'longer' if difference > 0 else 'shorter'} than usual"
    amount = np.degrees(size) if measure.unit is Unit.ANGLE else 100.0 * torso_m * size
    return f"{measure.words} {amount:.0f} {measure.unit.value} {more} than usual"
