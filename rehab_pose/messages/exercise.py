"""Conversion of classifications, repetitions, their progress and the list of exercises to messages and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import ExerciseClassification, Repetition, RepetitionPhase, RepetitionProgress, Side
from rehab_pose.exercise.catalogue import LABELS, NONE, label_id
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


def classification_from_message(message: Message) -> ExerciseClassification:
    """Return the classification of a rehab_pose_msgs/ExerciseClassification."""
    return ExerciseClassification(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        start_ns=stamp_ns(message.window_start),
        label=message.label,
        confidence=float(message.confidence),
        probabilities=np.asarray(message.probabilities, np.float64),
        out_of_distribution=bool(message.out_of_distribution),
        model_id=message.model_id,
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


def labels_from_message(message: Message) -> tuple[str, ...]:
    """Return the labels of a rehab_pose_msgs/ExerciseList."""
    return tuple(str(label) for label in message.labels)


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


def repetition_from_message(message: Message) -> Repetition:
    """Return the repetition of a rehab_pose_msgs/Repetition."""
    return Repetition(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        label=message.label,
        count=int(message.count),
        start_ns=stamp_ns(message.start),
        end_ns=stamp_ns(message.end),
        signal_name=message.signal_name,
        signal_minimum=float(message.signal_minimum),
        signal_maximum=float(message.signal_maximum),
        quality=float(message.quality),
        side=Side(message.side),
        turn_ns=stamp_ns(message.turn),
        smoothness=float(message.smoothness),
        asymmetry=float(message.asymmetry),
        reasons=tuple(message.reasons),
        quality_low=float(message.quality_low),
        quality_high=float(message.quality_high),
        quality_withheld=message.quality_withheld,
    )


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


def progress_from_message(message: Message) -> RepetitionProgress | None:
    """Return the progress of a rehab_pose_msgs/RepetitionProgress, None when no exercise is counted."""
    if message.body_id == NO_BODY_ID:
        return None
    return RepetitionProgress(
        stamp_ns=stamp_ns(message.header.stamp),
        frame_id=message.header.frame_id,
        label=message.label,
        count=int(message.count),
        phase=RepetitionPhase(message.phase),
        signal_name=message.signal_name,
        signal=float(message.signal),
        elapsed_s=float(message.elapsed),
    )
