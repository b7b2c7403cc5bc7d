"""The exercise: its name, its repetitions, and how far the one under way is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import frozen, set_fields

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["ExerciseUpdate", "ExerciseClassification", "Repetition", "RepetitionPhase", "RepetitionProgress", "Side"]


@dataclass(frozen=True, eq=False)
class ExerciseClassification:
    """Which exercise is being done, judged at the last frame of a window."""

    stamp_ns: int
    frame_id: str
    start_ns: int
    """Stamp of the window's first frame; `stamp_ns` is its last."""
    label: str
    """A name from the exercise catalogue, or `none`."""
    confidence: float
    probabilities: NDArray[np.float64]
    """(C) in the catalogue's order, `none` first."""
    out_of_distribution: bool
    model_id: str

    def __post_init__(self) -> None:
        """Check shapes."""
        set_fields(
            self, probabilities=frozen("ExerciseClassification.probabilities", self.probabilities, ("C",), np.float64)
        )


class Side(IntEnum):
    """Which side a repetition was done to or with (the numbers of Repetition.msg and RunExercise.action)."""

    ANY = 0
    LEFT = 1
    RIGHT = 2
    BOTH = 3


class RepetitionPhase(IntEnum):
    """Where in a repetition the person is (the numbers of RepetitionProgress.msg)."""

    UNKNOWN = 0
    REST = 1
    OUT = 2
    """Away from the starting posture."""
    BACK = 3
    """On the way back to it."""


@dataclass(frozen=True, eq=False)
class Repetition:
    """One finished cycle of an exercise."""

    stamp_ns: int
    """When it was counted."""
    frame_id: str
    label: str
    count: int
    """1 for the first repetition since the exercise began."""
    start_ns: int
    end_ns: int
    signal_name: str
    """The quantity whose cycle is counted, for example trunk_lateral_tilt."""
    signal_minimum: float
    """Over the repetition, in the signal's own unit (its name ends in _rad or _m)."""
    signal_maximum: float
    quality: float
    """0-1; NaN = not judged."""
    side: Side = Side.ANY
    turn_ns: int = 0
    """Stamp at which the way back began: start to turn and turn to end are the tempo; 0 = not known."""
    smoothness: float = float("nan")
    """Spectral arc length of the signal's speed, at most 0, nearer 0 is smoother (Balasubramanian et al. 2015, SPARC);
    NaN = not measured."""
    asymmetry: float = float("nan")
    """How much further the movement went with or to the left than to the right, as a share of both together, -1 to 1;
    NaN = not measured."""
    reasons: tuple[str, ...] = ()
    """What was not as it should be, in words and degrees for the person and the therapist; empty = nothing found."""


@dataclass(frozen=True, eq=False)
class RepetitionProgress:
    """How far the repetition under way is, at one frame."""

    stamp_ns: int
    frame_id: str
    label: str
    """The exercise that is counted; `none` where nothing is."""
    count: int
    """Finished repetitions since the exercise began."""
    phase: RepetitionPhase
    signal_name: str
    """As in Repetition; empty where nothing is counted."""
    signal: float
    """Its value now, in the unit that its name ends in; NaN = not seen."""
    elapsed_s: float
    """Since the repetition under way began [s]; NaN = none is."""


@dataclass(frozen=True, eq=False)
class ExerciseUpdate:
    """What the exercise stage has to say at one frame."""

    classification: ExerciseClassification
    repetition: Repetition | None
    progress: RepetitionProgress | None = None
    """None where nothing is counted."""
