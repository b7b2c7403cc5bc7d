"""Exercise, progress, hold and session as pages show them, from the records of any source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.exercise.exercise_library import ExerciseLibrary, shipped_library
from rehab_pose.session.hold import HoldTimer
from rehab_pose.view.hub import Part
from rehab_pose.view.parts import exercise_part, progress_part, repetition_part

if TYPE_CHECKING:
    from rehab_pose.datatypes import ExerciseClassification, Repetition, RepetitionProgress
    from rehab_pose.exercise.definition import ExerciseDefinition

__all__ = ["ExerciseState", "session_part"]


class ExerciseState:
    """Makes parts of the records of the exercise stage.

    Attributes:
        hold_s: Time for which each repetition is to be held, chosen on a page; 0 = no hold [s].
    """

    def __init__(self, library: ExerciseLibrary | None = None) -> None:
        """Use a library of exercises; None = the shipped ones."""
        library = library or shipped_library()
        self._definitions = {definition.name: definition for definition in library.definitions}
        self._hold = HoldTimer()
        self._cues = 0
        self.hold_s = 0.0

    def classification(self, classification: ExerciseClassification) -> dict[str, Part]:
        """Return the part of a label."""
        return {"exercise": exercise_part(classification)}

    def progress(self, progress: RepetitionProgress | None) -> dict[str, Part]:
        """Return the part of a repetition's progress."""
        definition = self._definition(progress.label) if progress is not None else None
        return {"progress": progress_part(progress, self._hold.progress(progress, definition))}

    def repetition(self, repetition: Repetition) -> dict[str, Part]:
        """Return the part of a finished repetition."""
        self._hold.repetition(repetition)
        return {"repetition": repetition_part(repetition)}

    def hold(self, hold_s: float) -> dict[str, Part]:
        """Set and return the hold of each repetition [s]."""
        self.hold_s = hold_s
        return {"hold": Part({"hold_s": hold_s})}

    def cue(self, sentence: str) -> dict[str, Part]:
        """Return a sentence to be spoken, with a number by which pages tell it from the one before."""
        self._cues += 1
        return {"cue": Part({"number": self._cues, "words": sentence})}

    def _definition(self, label: str) -> ExerciseDefinition | None:
        return self._definitions.get(label)


def session_part(*, running: bool, exercise: str, count: int, target: int, message: str) -> Part:
    """Return a session in words.

    Args:
        running: Whether it was started and has not ended.
        exercise: Label; '' = any.
        count: Number of counted repetitions.
        target: 0 = no target.
        message: The newest event in words.
    """
    return Part(
        {
            "running": running,
            "displayed": exercise_display_name(exercise) if exercise else "Any exercise",
            "exercise": exercise,
            "count": count,
            "target": target,
            "message": message,
        }
    )
