"""Quality of a repetition: its measures relative to those of healthy people in the same exercise.

The quality is exp(-e / QUALITY_STDS), where e is the mean excess of the measures over the range of healthy people. Its
interval is that of e by the jackknife over the measured curves (Efron and Stein 1981): with few or contradicting
measures it is wide. The quality is withheld where the joints were tracked too poorly to measure them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.quality_measures import MEASURES, Unit, repetition_measures
from rehab_pose.exercise.window_features import torso_lengths_m

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "SHIPPED_NORMS",
    "Norm",
    "Norms",
    "QualityAssessment",
    "QualityAssessor",
    "ReasonsOfSet",
    "load_norms",
    "tracking_fault",
]

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
INTERVAL_STDS = 1.96
"""Half of a 95 % interval in standard errors."""
MIN_RATE_HZ = 8.0
"""Smallest frame rate [Hz]: with fewer frames the extremes of a repetition of 1 s are missed by more than 5 %."""
MAX_GAP_S = 0.5
"""Longest time without joints within a repetition [s]; chosen by hand, about an eighth of a repetition."""
MAX_MISSING_FRACTION = 0.25
"""Largest fraction of joints that are missing in a repetition; chosen by hand: one arm or one leg in all frames."""
MIN_CONFIDENCE = 0.4
"""Smallest median confidence of the joints of a repetition; below, most of them are predicted and not observed."""


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
    interval: tuple[float, float] = (float("nan"), float("nan"))
    """95 % interval of the quality; NaN = not assessed."""
    withheld: str = ""
    """Why the quality is NaN, in words; empty where it is assessed."""
    unusual: tuple[str, ...] = ()
    """Measure and sign of each reason, for `ReasonsOfSet`."""


class ReasonsOfSet:
    """Says every reason once a set: what was said of a repetition is not repeated for the following ones."""

    def __init__(self) -> None:
        """Begin with a set in which nothing was said."""
        self._said: set[str] = set()

    def first_said(self, assessment: QualityAssessment) -> tuple[str, ...]:
        """Return the reasons of a repetition that were not said in this set yet."""
        sentences = dict(zip(assessment.unusual, assessment.reasons, strict=True))
        fresh = {key: sentence for key, sentence in sentences.items() if key not in self._said}
        self._said.update(fresh)
        return tuple(fresh.values())


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
    wrong = [label for label, measures in norms.items() if set(measures) != set(MEASURES)]
    stds = [norm.std for measures in norms.values() for norm in measures.values()]
    if wrong or not all(np.isfinite(std) and std > 0.0 for std in stds):
        msg = (
            f"repetition norms {path}: expected every measure of every exercise with a std above 0, not so for "
            f"{', '.join(wrong) or 'a std'}; train them again"
        )
        raise ModelFileError(msg)
    return norms


def tracking_fault(
    stamps_ns: NDArray[np.int64], positions_m: NDArray[Any], confidence: NDArray[Any] | None = None
) -> str:
    """Return why a repetition was tracked too poorly to be assessed, in words; empty where it was not.

    Args:
        stamps_ns: (T) of its frames [ns].
        positions_m: (T, J, 3) FEATURE_JOINTS [m]; NaN = missing.
        confidence: (T, J) 0-1 of these joints; NaN or None = not known.
    """
    known = np.isfinite(positions_m).all(axis=-1)
    seen_ns = stamps_ns[known.any(axis=-1)]
    if len(seen_ns) < 2:
        return "not assessed: the person was not in view"
    gap_s = float(np.diff(seen_ns).max()) * 1e-9
    if gap_s > MAX_GAP_S:
        return f"not assessed: out of view for {gap_s:.1f} s, at most {MAX_GAP_S:g} s can be bridged"
    rate_hz = (len(seen_ns) - 1) / (float(seen_ns[-1] - seen_ns[0]) * 1e-9)
    if rate_hz < MIN_RATE_HZ:
        return f"not assessed: {rate_hz:.0f} frames/s, at least {MIN_RATE_HZ:g} are needed"
    missing = 1.0 - float(known.mean())
    if missing > MAX_MISSING_FRACTION:
        allowed = 100.0 * MAX_MISSING_FRACTION
        return f"not assessed: {100.0 * missing:.0f} % of the joints are missing, at most {allowed:.0f} % may be"
    given = np.full(known.shape, np.nan) if confidence is None else np.asarray(confidence)
    given = given[known & np.isfinite(given)]
    if len(given) and np.median(given) < MIN_CONFIDENCE:
        certain = float(np.median(given))
        return f"not assessed: median confidence of the joints {certain:.2f}, at least {MIN_CONFIDENCE:g} is needed"
    return ""


class QualityAssessor:
    """Assesses repetitions by comparison with norms; exercises without norms are not assessed."""

    def __init__(self, norms: Norms | None = None) -> None:
        """Use the given norms, or load the shipped ones.

        Args:
            norms: Norms by exercise and measure; None = the shipped ones.

        Raises:
            ModelFileError: The shipped file is missing or damaged.
        """
        self._norms = load_norms() if norms is None else norms

    def assess(
        self,
        label: str,
        number: int,
        stamps_ns: NDArray[np.int64],
        positions_m: NDArray[Any],
        axes: NDArray[Any],
        confidence: NDArray[Any] | None = None,
    ) -> QualityAssessment:
        """Return the quality of one repetition; NaN with the reason without norms or where tracking was poor.

        Args:
            label: The exercise.
            number: Number of the repetition in its set, for the reasons.
            stamps_ns: (T) of its frames [ns].
            positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
            axes: (3, 3) rows: the person's left, up, front.
            confidence: (T, J) 0-1 of the joints; NaN or None = not known.
        """
        norms = self._norms.get(label)
        fault = "not assessed: no norms of healthy people for this exercise" if norms is None else ""
        fault = fault or tracking_fault(stamps_ns, np.asarray(positions_m), confidence)
        if norms is None or fault:
            return QualityAssessment(float("nan"), (), withheld=fault)
        measures = repetition_measures(stamps_ns, positions_m, axes)
        torso_m = float(torso_lengths_m(np.asarray(positions_m)[None])[0])
        return assess_measures(norms, number, measures, torso_m)


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
        fault = f"not assessed: {len(deviations)} measures are known, at least {MIN_MEASURES} are needed"
        return QualityAssessment(float("nan"), (), withheld=fault)
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
    named = tuple(f"{name} {'more' if deviations[name] > 0 else 'less'}" for name in unusual[:MAX_REASONS])
    interval = _interval(excess, [MEASURES[name].curve for name in deviations])
    return QualityAssessment(float(np.exp(-excess.mean() / QUALITY_STDS)), reasons, interval, unusual=named)


def _interval(excess: NDArray[np.float64], curves: list[str]) -> tuple[float, float]:
    """Return the 95 % interval of the quality from the excess (K) of the measures and the curve of each."""
    groups = np.array(curves)
    names = np.unique(groups)
    left_out = np.array([excess[groups != name].mean() for name in names])
    count = len(names)
    error = float(np.sqrt((count - 1) / count * ((left_out - left_out.mean()) ** 2).sum()))
    middle = float(excess.mean())
    worse, better = middle + INTERVAL_STDS * error, max(middle - INTERVAL_STDS * error, 0.0)
    return float(np.exp(-worse / QUALITY_STDS)), float(np.exp(-better / QUALITY_STDS))


def _in_words(name: str, difference: float, torso_m: float) -> str:
    measure = MEASURES[name]
    more = "more" if difference > 0 else "less"
    size = abs(difference)
    if measure.unit is Unit.TIME:
        return f"{measure.words} {size:.1f} s {'longer' if difference > 0 else 'shorter'} than usual"
    amount = np.degrees(size) if measure.unit is Unit.ANGLE else 100.0 * torso_m * size
    return f"{measure.words} {amount:.0f} {measure.unit.value} {more} than usual"
