"""Records of the exercise: classification, repetitions, and progress of the current repetition."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import frozen, set_fields

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["ExerciseClassification", "ExerciseUpdate", "Repetition", "RepetitionPhase", "RepetitionProgress", "Side"]


@dataclass(frozen=True, eq=False)
class ExerciseClassification:
    """Class of the exercise in a window of frames."""

    stamp_ns: int
    frame_id: str
    start_ns: int
    """Stamp of the first frame of the window [ns]; `stamp_ns` is that of the last."""
    label: str
    """A name from the exercise catalogue, or `none`."""
    confidence: float
    probabilities: NDArray[np.float64]
    """(C) in the order of the catalogue, `none` first."""
    out_of_distribution: bool
    """Whether the window differs from the training data, so that the label is not reliable."""
    model_id: str

    def __post_init__(self) -> None:
        """Check shapes."""
        set_fields(
            self, probabilities=frozen("ExerciseClassification.probabilities", self.probabilities, ("C",), np.float64)
        )


class Side(IntEnum):
    """Side of a repetition (the numbers of Repetition.msg and RunExercise.action)."""

    ANY = 0
    LEFT = 1
    RIGHT = 2
    BOTH = 3


class RepetitionPhase(IntEnum):
    """Phase of a repetition (the numbers of RepetitionProgress.msg)."""

    UNKNOWN = 0
    REST = 1
    OUT = 2
    """Away from the starting pose."""
    BACK = 3
    """Back to the starting pose."""


@dataclass(frozen=True, eq=False)
class Repetition:
    """One finished cycle of an exercise."""

    stamp_ns: int
    """Stamp at which the repetition was counted [ns]."""
    frame_id: str
    label: str
    count: int
    """Number of the repetition in its set, from 1."""
    start_ns: int
    end_ns: int
    signal_name: str
    """Name of the signal whose cycles are counted, for example trunk_lateral_tilt_rad."""
    signal_minimum: float
    """Minimum of the signal in the repetition, in its unit (its name ends in _rad or _m)."""
    signal_maximum: float
    """Maximum of the signal in the repetition, in its unit."""
    quality: float
    """0-1; NaN = not assessed."""
    side: Side = Side.ANY
    turn_ns: int = 0
    """Stamp at which the return to the starting pose began [ns]; 0 = unknown. Start to turn and turn to end give the
    tempo."""
    smoothness: float = float("nan")
    """Spectral arc length of the signal's speed (SPARC, Balasubramanian et al. 2015), at most 0; closer to 0 is
    smoother; NaN = not measured."""
    asymmetry: float = float("nan")
    """(left - right) / (left + right) of the ranges of the movement, -1 to 1; NaN = not measured."""
    reasons: tuple[str, ...] = ()
    """Unusual measures in words that were not named in this set before, for the person and the therapist; empty =
    none."""
    quality_low: float = float("nan")
    quality_high: float = float("nan")
    """95 % interval of the quality, 0-1; NaN = not assessed."""
    quality_withheld: str = ""
    """Why the quality is NaN, in words; empty where it is assessed."""


@dataclass(frozen=True, eq=False)
class RepetitionProgress:
    """Progress of the current repetition at one frame."""

    stamp_ns: int
    frame_id: str
    label: str
    """The exercise that is counted, or `none`."""
    count: int
    """Number of finished repetitions in the set."""
    phase: RepetitionPhase
    signal_name: str
    """As in Repetition; empty if no exercise is counted."""
    signal: float
    """Value of the signal at this frame, in its unit; NaN = missing."""
    elapsed_s: float
    """Time since the start of the current repetition [s]; NaN = at rest."""


@dataclass(frozen=True, eq=False)
class ExerciseUpdate:
    """Result of the exercise stage at one frame."""

    classification: ExerciseClassification
    repetition: Repetition | None
    """The repetition that was finished, if any."""
    progress: RepetitionProgress | None = None
    """None if no exercise is counted."""
