"""How good a repetition was, and why: its measures against those of healthy people doing the same exercise."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.features import torso_lengths_m
from rehab_pose.exercise.quality_measures import MEASURES, Unit, repetition_measures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["SHIPPED_NORMS", "Judgement", "Norm", "Norms", "RepetitionJudge", "load_norms"]

SHIPPED_NORMS = Path(__file__).parent / "weights" / "repetition_norms.json"
FREE_SPREADS = 1.0
"""Within this many spreads of the median nothing is held against a repetition."""
WORST_SPREADS = 4.0
"""Further away counts no more: one lost joint must not decide."""
QUALITY_SPREADS = 1.25
"""So many spreads too far on average bring the quality from 1 to 1/e."""
TOLD_SPREADS = 2.5
"""From here on a measure is told as a reason, ..."""
TOLD_DIFFERENCE = {Unit.ANGLE: np.radians(10.0), Unit.LENGTH: 0.10, Unit.TIME: 1.5}
"""... if it also differs by this much [rad, torso lengths, s]."""
MAX_REASONS = 3
MIN_MEASURES = 8
"""With fewer measures a repetition is not judged."""


@dataclass(frozen=True)
class Norm:
    """Healthy people's repetitions of one exercise, by one measure."""

    median: float
    spread: float
    """Robust standard deviation between people and repetitions."""


Norms = dict[str, dict[str, Norm]]
"""By exercise and measure."""


@dataclass(frozen=True)
class Judgement:
    """Of one repetition."""

    quality: float
    """0-1, 1 is as healthy people do it; NaN = not judged."""
    reasons: tuple[str, ...]


@cache
def load_norms(path: Path = SHIPPED_NORMS) -> Norms:
    """Return the norms of a file that `rehab-pose train quality` wrote.

    Raises:
        ModelFileError: The file is missing or damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        norms = {
            label: {name: Norm(float(entry["median"]), float(entry["spread"])) for name, entry in measures.items()}
            for label, measures in content["norms"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"repetition norms: expected the JSON file of `rehab-pose train quality` at {path}, got {error!r}"
        raise ModelFileError(msg) from error
    wrong = [label for label in EXERCISES if set(norms.get(label, ())) != set(MEASURES)]
    if wrong or any(norm.spread <= 0.0 for measures in norms.values() for norm in measures.values()):
        msg = (
            f"repetition norms {path}: expected every measure of every exercise with a spread above 0; train them anew"
        )
        raise ModelFileError(msg)
    return norms


class RepetitionJudge:
    """Judges repetitions by norms."""

    def __init__(self, norms: Norms | None = None) -> None:
        """Take norms, or the shipped ones.

        Raises:
            ModelFileError: The shipped file is damaged.
        """
        self._norms = norms or load_norms()

    def judge(
        self,
        label: str,
        number: int,
        stamps_ns: NDArray[np.int64],
        positions_m: NDArray[Any],
        axes: NDArray[Any],
    ) -> Judgement:
        """Judge one repetition.

        Args:
            label: Its exercise.
            number: Which repetition of the set it is, for the reasons.
            stamps_ns: (T) of its frames [ns].
            positions_m: (T, J, 3) FEATURE_JOINTS in the optical frame [m]; NaN = missing.
            axes: (3, 3) rows: the person's left, up, front.
        """
        measures = repetition_measures(stamps_ns, positions_m, axes)
        torso_m = float(torso_lengths_m(np.asarray(positions_m)[None])[0])
        return judge_measures(self._norms[label], number, measures, torso_m)


def judge_measures(norms: Mapping[str, Norm], number: int, measures: Mapping[str, float], torso_m: float) -> Judgement:
    """Judge a repetition by its measures.

    Args:
        norms: Of its exercise.
        number: Which repetition of the set it is.
        measures: By name; NaN = not taken.
        torso_m: The person's torso, to tell lengths in centimetres [m].
    """
    away = {
        name: (measures[name] - norm.median) / norm.spread
        for name, norm in norms.items()
        if np.isfinite(measures[name])
    }
    if len(away) < MIN_MEASURES:
        return Judgement(float("nan"), ())
    excess = np.clip(np.abs(np.array(list(away.values()))) - FREE_SPREADS, 0.0, WORST_SPREADS)
    told = [
        name
        for name in sorted(away, key=lambda name: -abs(away[name]))
        if abs(away[name]) >= TOLD_SPREADS
        and abs(measures[name] - norms[name].median) >= TOLD_DIFFERENCE[MEASURES[name].unit]
    ]
    reasons = tuple(
        f"repetition {number}: {_in_words(name, measures[name] - norms[name].median, torso_m)}"
        for name in told[:MAX_REASONS]
    )
    return Judgement(float(np.exp(-excess.mean() / QUALITY_SPREADS)), reasons)


def _in_words(name: str, difference: float, torso_m: float) -> str:
    measure = MEASURES[name]
    more = "more" if difference > 0 else "less"
    size = abs(difference)
    if measure.unit is Unit.TIME:
        return f"{measure.words} {size:.1f} s {'longer' if difference > 0 else 'shorter'} than usual"
    amount = np.degrees(size) if measure.unit is Unit.ANGLE else 100.0 * torso_m * size
    return f"{measure.words} {amount:.0f} {measure.unit.value} {more} than usual"
