"""Conversion of classifications, repetitions, their progress and the list of exercises to messages and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import ExerciseClassification, Repetition, RepetitionPhase, RepetitionProgress, Side
from rehab_pose.errors import InputError
from rehab_pose.exercise.catalogue import LABELS, NONE, label_id
from rehab_pose.messages.checks import between, not_negative, short_text, whole_message
from rehab_pose.messages.factory import BODY_ID, NO_BODY_ID, header, numbers, stamp_ns, time_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = [
    "classification_from_message",
    "classification_message",
    "exercise_list_message",
    "label_message",
    "labels_from_message",
    "progress_from_message",
    "progress_message",
    "repetition_from_message",
    "repetition_message",
]

LARGEST_SIGNAL = 1e4
"""Beyond any value of a signal [rad or m] and any smoothness."""


def classification_message(factory: MessageFactory, classification: ExerciseClassification) -> Message:
    """Return rehab_pose_msgs/ExerciseClassification."""
    return factory.make(
        "rehab_pose_msgs/msg/ExerciseClassification",
        header=header(factory, classification.stamp_ns, classification.frame_id),
        body_id=BODY_ID,
        exercise_id=label_id(classification.label),
        label=classification.label,
        confidence=float(classification.confidence),
        probabilities=numbers(factory, classification.probabilities, np.float32),
        window_start=time_message(factory, classification.start_ns),
        out_of_distribution=bool(classification.out_of_distribution),
        model_id=classification.model_id,
    )


@whole_message("ExerciseClassification")
def classification_from_message(message: Message) -> ExerciseClassification:
    """Return the classification of a rehab_pose_msgs/ExerciseClassification.

    Raises:
        InputError: A number is out of its range, or the window starts after its end.
    """
    stamp, start = stamp_ns(message.header.stamp), stamp_ns(message.window_start)
    if start > stamp:
        msg = f"ExerciseClassification: expected a window that starts before {stamp} ns, got {start} ns"
        raise InputError(msg)
    return ExerciseClassification(
        stamp_ns=stamp,
        frame_id=message.header.frame_id,
        start_ns=start,
        label=short_text("ExerciseClassification.label", message.label),
        confidence=float(between("ExerciseClassification.confidence", message.confidence, 0.0, 1.0)),
        probabilities=between("ExerciseClassification.probabilities", message.probabilities, 0.0, 1.0),
        out_of_distribution=bool(message.out_of_distribution),
        model_id=short_text("ExerciseClassification.model_id", message.model_id),
    )


def label_message(factory: MessageFactory, classification: ExerciseClassification) -> Message:
    """Return std_msgs/String with the label, for dashboards."""
    return factory.make("std_msgs/msg/String", data=classification.label)


def exercise_list_message(factory: MessageFactory, labels: Sequence[str] = LABELS) -> Message:
    """Return rehab_pose_msgs/ExerciseList of a recogniser's labels, `none` first."""
    return factory.make(
        "rehab_pose_msgs/msg/ExerciseList",
        header=header(factory, 0, ""),
        ids=numbers(factory, np.array([label_id(label) for label in labels]), np.uint16),
        labels=list(labels),
    )


@whole_message("ExerciseList")
def labels_from_message(message: Message) -> tuple[str, ...]:
    """Return the labels of a rehab_pose_msgs/ExerciseList."""
    return tuple(short_text("ExerciseList.labels", label) for label in message.labels)


def repetition_message(factory: MessageFactory, repetition: Repetition) -> Message:
    """Return rehab_pose_msgs/Repetition."""
    return factory.make(
        "rehab_pose_msgs/msg/Repetition",
        header=header(factory, repetition.stamp_ns, repetition.frame_id),
        body_id=BODY_ID,
        exercise_id=label_id(repetition.label),
        label=repetition.label,
        count=repetition.count,
        start=time_message(factory, repetition.start_ns),
        turn=time_message(factory, repetition.turn_ns),
        end=time_message(factory, repetition.end_ns),
        signal_name=repetition.signal_name,
        signal_minimum=float(repetition.signal_minimum),
        signal_maximum=float(repetition.signal_maximum),
        quality=float(repetition.quality),
        quality_low=float(repetition.quality_low),
        quality_high=float(repetition.quality_high),
        quality_withheld=repetition.quality_withheld,
        side=int(repetition.side),
        smoothness=float(repetition.smoothness),
        asymmetry=float(repetition.asymmetry),
        reasons=list(repetition.reasons),
    )


@whole_message("Repetition")
def repetition_from_message(message: Message) -> Repetition:
    """Return the repetition of a rehab_pose_msgs/Repetition.

    Raises:
        InputError: A number is out of its range, the side is unknown, or the stamps do not increase.
    """
    stamp, start, end, turn = (
        stamp_ns(time) for time in (message.header.stamp, message.start, message.end, message.turn)
    )
    if not start <= end <= stamp or (turn and not start <= turn <= end) or message.count < 1:
        msg = (
            f"Repetition: expected a number from 1 and increasing stamps, got {message.count} with {start}, {turn}, "
            f"{end} and {stamp} ns"
        )
        raise InputError(msg)
    return Repetition(
        stamp_ns=stamp,
        frame_id=message.header.frame_id,
        label=short_text("Repetition.label", message.label),
        count=int(message.count),
        start_ns=start,
        end_ns=end,
        signal_name=short_text("Repetition.signal_name", message.signal_name),
        signal_minimum=_signal("Repetition.signal_minimum", message.signal_minimum),
        signal_maximum=_signal("Repetition.signal_maximum", message.signal_maximum),
        quality=float(between("Repetition.quality", message.quality, 0.0, 1.0)),
        side=Side(message.side),
        turn_ns=turn,
        smoothness=_signal("Repetition.smoothness", message.smoothness),
        asymmetry=float(between("Repetition.asymmetry", message.asymmetry, -1.0, 1.0)),
        reasons=tuple(short_text("Repetition.reasons", reason) for reason in message.reasons),
        quality_low=float(between("Repetition.quality_low", message.quality_low, 0.0, 1.0)),
        quality_high=float(between("Repetition.quality_high", message.quality_high, 0.0, 1.0)),
        quality_withheld=short_text("Repetition.quality_withheld", message.quality_withheld),
    )


def _signal(name: str, value: float) -> float:
    """Return a value of a signal; NaN = missing."""
    return float(between(name, value, -LARGEST_SIGNAL, LARGEST_SIGNAL))


def progress_message(
    factory: MessageFactory, stamp: int, frame_id: str, progress: RepetitionProgress | None
) -> Message:
    """Return rehab_pose_msgs/RepetitionProgress; None gives the message of a frame in which no exercise is counted."""
    return factory.make(
        "rehab_pose_msgs/msg/RepetitionProgress",
        header=header(factory, stamp, frame_id),
        body_id=BODY_ID if progress else NO_BODY_ID,
        exercise_id=label_id(progress.label) if progress else 0,
        label=progress.label if progress else NONE,
        count=progress.count if progress else 0,
        phase=int(progress.phase) if progress else int(RepetitionPhase.UNKNOWN),
        signal_name=progress.signal_name if progress else "",
        signal=float(progress.signal) if progress else float("nan"),
        elapsed=float(progress.elapsed_s) if progress else float("nan"),
    )


@whole_message("RepetitionProgress")
def progress_from_message(message: Message) -> RepetitionProgress | None:
    """Return the progress of a rehab_pose_msgs/RepetitionProgress, None when no exercise is counted.

    Raises:
        InputError: A number is out of its range, or the phase is unknown.
    """
    if message.body_id == NO_BODY_ID:
        return None
    return RepetitionProgress(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        label=short_text("RepetitionProgress.label", message.label),
        count=int(not_negative("RepetitionProgress.count", message.count)),
        phase=RepetitionPhase(message.phase),
        signal_name=short_text("RepetitionProgress.signal_name", message.signal_name),
        signal=_signal("RepetitionProgress.signal", message.signal),
        elapsed_s=float(not_negative("RepetitionProgress.elapsed", message.elapsed)),
    )
