"""Recognition of the exercise: classification of windows of joints, filtered over time, `none` below a threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import ExerciseClassification, ExerciseUpdate
from rehab_pose.exercise.catalogue import LABELS, NONE
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.repetition_counter import RepetitionCounter
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_classifier import WindowClassifier
from rehab_pose.exercise.window_features import (
    SAMPLE_RATE_HZ,
    WINDOW_SAMPLES,
    motion_range_m,
    resample,
)
from rehab_pose.geometry.floor import up_of_floor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints, JointsOfFrame

__all__ = ["ExerciseRecogniser"]

HISTORY_S = 16.0
"""Longest history that a setting (`lookback_s`) can require, plus one second [s]."""
STEP_NS = int(1e9 / SAMPLE_RATE_HZ)
"""Time between two samples of a window [ns]."""


class ExerciseRecogniser:
    """Gives the label, its confidence and the repetitions of one person at every frame."""

    def __init__(self, settings: ExerciseSettings | None = None) -> None:
        """Load the weights.

        Raises:
            ModelFileError: The weights are missing, damaged or do not fit this code.
        """
        self._settings = settings or ExerciseSettings()
        self._classifier = WindowClassifier(self._settings.weights_path)
        self._history = JointHistory(HISTORY_S)
        self._counter = RepetitionCounter(self._settings)
        self._floor_up: NDArray[np.float64] | None = None
        self.reset()

    @property
    def settings(self) -> ExerciseSettings:
        """The current settings."""
        return self._settings

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._classifier.model_id

    def change_settings(self, settings: ExerciseSettings) -> None:
        """Use other settings from the next frame on; history, label and count are kept.

        Raises:
            ModelFileError: The new weights cannot be used; the settings are then unchanged.
        """
        if settings.weights_path != self._settings.weights_path:
            self._classifier = WindowClassifier(settings.weights_path)
        self._settings = self._counter.settings = settings

    def reset(self) -> None:
        """Discard the history, the label and the repetitions (another person, or time jumped back)."""
        self._history.reset()
        self._counter.reset()
        self._frames = 0
        self._stamp_ns: int | None = None
        self._last_seen_ns: int | None = None
        self._start_ns = 0
        self._label = NONE
        self._candidate, self._candidate_ns = NONE, 0
        self._probabilities = np.eye(len(LABELS))[0]
        self._classified_ns: int | None = None
        self._out_of_distribution = False

    def set_floor_plane(self, plane: NDArray[np.float64]) -> None:
        """Take gravity from the floor plane (4), as in `FloorPlane.plane`, from the next frame on; NaN = unknown."""
        self._floor_up = up_of_floor(plane)

    def process(self, item: JointsOfFrame | None) -> ExerciseUpdate | None:
        """Return the exercise and its repetitions at one frame; None without a frame.

        Args:
            item: Joints in SMPL_24, None where no person was found. A stamp that is not later than the last one resets
                the stage.

        Returns:
            The classification at this frame, and the finished repetition, if any.
        """
        if item is None:
            return None
        return self.recognise(item.stamp_ns, item.frame_id, item.joints)

    def recognise(self, stamp_ns: int, frame_id: str, joints: Joints | None) -> ExerciseUpdate:
        """Return the exercise at a stamp [ns] from the joints of that frame, None where no person was found."""
        if self._stamp_ns is not None and stamp_ns <= self._stamp_ns:
            self.reset()
        self._stamp_ns = stamp_ns
        if joints is not None:
            self._last_seen_ns = stamp_ns
        elif self._last_seen_ns is not None and stamp_ns - self._last_seen_ns > self._settings.forget_s * 1e9:
            self.reset()
            self._stamp_ns = stamp_ns
        self._history.append(stamp_ns, joints)
        if joints is not None and self._floor_up is not None:
            self._history.up = self._floor_up
        if self._frames % self._settings.stride_frames == 0:
            self._classify(stamp_ns)
        self._frames += 1
        repetition = self._counter.update(stamp_ns, frame_id, self._label, self._history)
        probability = float(self._probabilities[LABELS.index(self._label)])
        classification = ExerciseClassification(
            stamp_ns=stamp_ns,
            frame_id=frame_id,
            start_ns=self._start_ns,
            label=self._label,
            # `none` is also the label when no exercise reaches the threshold: its confidence is that of "no exercise".
            confidence=probability if self._label != NONE else 1.0 - float(self._probabilities[1:].max()),
            probabilities=self._probabilities,
            out_of_distribution=self._out_of_distribution,
            model_id=self._classifier.model_id,
        )
        progress = self._counter.progress(stamp_ns, frame_id)
        return ExerciseUpdate(classification=classification, repetition=repetition, progress=progress)

    def _classify(self, stamp_ns: int) -> None:
        """Classify the window that ends at a stamp [ns] and update the label."""
        settings, stamps_ns = self._settings, self._history.stamps_ns
        times_ns = stamp_ns - np.arange(WINDOW_SAMPLES - 1, -1, -1, dtype=np.int64) * STEP_NS
        self._start_ns = int(max(times_ns[0], stamps_ns[0]))
        only_none = np.eye(len(LABELS))[0]
        if stamp_ns - stamps_ns[0] < settings.minimum_history_s * 1e9:
            self._update_label(stamp_ns, only_none, out_of_distribution=False)
            return
        window_m = resample(stamps_ns, self._history.positions_m, times_ns)
        recent = window_m[-max(3, round(settings.quiet_s * SAMPLE_RATE_HZ)) :]
        if motion_range_m(recent[None])[0] < settings.quiet_range_m:
            self._update_label(stamp_ns, only_none, out_of_distribution=False)
            return
        probabilities, is_unfamiliar = self._classifier.classify(window_m, self._history.up)
        self._update_label(stamp_ns, probabilities, out_of_distribution=is_unfamiliar)

    def _update_label(self, stamp_ns: int, probabilities: NDArray[np.float64], *, out_of_distribution: bool) -> None:
        """Filter the probabilities over time; change the label when another has been best for `label_hold_s`."""
        settings = self._settings
        step_s = 0.0 if self._classified_ns is None else (stamp_ns - self._classified_ns) * 1e-9
        weight = step_s / (step_s + settings.probability_smoothing_s) if step_s > 0 else 1.0
        self._probabilities = self._probabilities + weight * (probabilities - self._probabilities)
        self._classified_ns, self._out_of_distribution = stamp_ns, out_of_distribution
        best = int(self._probabilities.argmax())
        winner = LABELS[best] if self._probabilities[best] >= settings.confidence_threshold else NONE
        if winner != self._candidate:
            self._candidate, self._candidate_ns = winner, stamp_ns
        if winner == self._label or stamp_ns - self._candidate_ns >= settings.label_hold_s * 1e9:
            self._label = winner
