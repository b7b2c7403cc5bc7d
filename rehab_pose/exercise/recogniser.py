"""Recognition of the exercise: classification of windows of joints, filtered over time, `none` below a threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rehab_pose.datatypes import ExerciseClassification, ExerciseUpdate
from rehab_pose.exercise.catalogue import LABELS, NONE
from rehab_pose.exercise.exercise_library import ExerciseLibrary
from rehab_pose.exercise.fused_history import FindingsHistory
from rehab_pose.exercise.fused_network import FusedNetwork
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.repetition_counter import HISTORY_S, RepetitionCounter
from rehab_pose.exercise.rigid_motion import deformation_range_m
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.stabiliser import Stabiliser
from rehab_pose.exercise.stamp_filter import StampFilter, StampVerdict
from rehab_pose.exercise.window_classifier import WindowClassifier
from rehab_pose.exercise.window_features import (
    SAMPLE_RATE_HZ,
    SMPL_INDICES,
    WINDOW_SAMPLES,
    motion_range_m,
    resample,
)

if TYPE_CHECKING:
    from collections import Counter

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints, JointsOfFrame, Repetition
    from rehab_pose.exercise.window_classifier import Correct

__all__ = ["ExerciseRecogniser"]

HISTORY_CAPACITY = 8192
"""Samples of the history's buffer, of which at least half are available: HISTORY_S at 90 Hz; 1.6 MB."""
SHORTEST_FRAME_NS = 30_000_000
"""Frames of a faster camera count as this long for the setting `stride_frames`: windows are resampled in time, so that
more answers a second say nothing new [ns]."""
STEP_NS = int(1e9 / SAMPLE_RATE_HZ)
"""Time between two samples of a window [ns]."""


class Classifier(Protocol):
    """Classifies windows of joints, as `WindowClassifier` does."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, `none` first."""

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""

    def classify(
        self, positions_m: NDArray[Any], up: NDArray[Any], correct: Correct | None = None
    ) -> tuple[NDArray[np.float64], bool]:
        """Return the probabilities of one window, and whether it is out of distribution."""


class ExerciseRecogniser:
    """Gives the label, its confidence and the repetitions of one person at every frame."""

    def __init__(self, settings: ExerciseSettings | None = None, classifier: Classifier | None = None) -> None:
        """Load the weights.

        Args:
            settings: Settings of the stage; None = the defaults.
            classifier: Classifies windows; None = the network of the settings.

        Raises:
            ModelFileError: The weights are missing, damaged or do not fit this code.
            InputError: The folder of the user's exercises does not exist, or a file in it is wrong.
        """
        self._settings = settings or ExerciseSettings()
        self._classifier: Classifier = classifier or _classifier(self._settings)
        self._fused, self._findings = _fused_stages(self._settings)
        self._history = JointHistory(HISTORY_S, HISTORY_CAPACITY)
        self._stabiliser = Stabiliser()
        self._stamps = StampFilter()
        self._verdict = StampVerdict.NEW
        self._counter = RepetitionCounter(self._settings, ExerciseLibrary.load(self._settings.library_path))
        self.reset()

    @property
    def settings(self) -> ExerciseSettings:
        """The current settings."""
        return self._settings

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._classifier.model_id + ("" if self._fused is None else f"+{self._fused.model_id}")

    @property
    def findings(self) -> FindingsHistory | None:
        """Takes the results of the other stages whenever they come; None where only the joints are used."""
        return self._findings

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the exercises that are recognised, `none` first: those of the weights, then the added ones."""
        return self._classifier.labels

    @property
    def verdict(self) -> StampVerdict:
        """The verdict on the stamp of the last frame: it was processed, or dropped for a reason."""
        return self._verdict

    @property
    def dropped(self) -> Counter[StampVerdict]:
        """Number of frames that were dropped because of their stamps, by reason, since the stage was made."""
        return self._stamps.dropped

    def change_settings(self, settings: ExerciseSettings) -> None:
        """Use other settings from the next frame on; history, label and count are kept.

        Raises:
            ModelFileError: The new weights cannot be used; the settings are then unchanged.
            InputError: The new folder of exercises cannot be used; the settings are then unchanged.
        """
        before, library, classifier = self._settings, self._counter.library, self._classifier
        if settings.library_path != before.library_path:
            library = ExerciseLibrary.load(settings.library_path)
        if _classes(settings) != _classes(before):
            classifier = _classifier(settings)
        if (settings.streams, settings.fused_weights_path) != (before.streams, before.fused_weights_path):
            self._fused, self._findings = _fused_stages(settings)
        if classifier is not self._classifier:
            self._classifier, self._counter.library = classifier, library
            self._forget_label()
        self._settings = self._counter.settings = settings

    def reset(self) -> None:
        """Discard the history, the label and the repetitions (another person, or time jumped back)."""
        self._history.reset()
        self._history.up = self._stabiliser.up
        if self._findings is not None:
            self._findings.reset()
        self._stabiliser.reset()
        self._stamps.reset()
        self._counter.reset()
        self._frames, self._tried_ns = self._settings.stride_frames, -SHORTEST_FRAME_NS * self._settings.stride_frames
        self._last_seen_ns: int | None = None
        self._seen_since_ns = 0
        self._start_ns = 0
        self._forget_label()

    def _forget_label(self) -> None:
        self._label = NONE
        self._candidate, self._candidate_ns = NONE, 0
        self._probabilities = np.eye(len(self._classifier.labels))[0]
        self._classified_ns: int | None = None
        self._out_of_distribution = False

    def set_floor_plane(self, plane: NDArray[np.float64]) -> None:
        """Take the floor plane (4) of the next frame, as in `FloorPlane.plane`; NaN = unknown."""
        self._stabiliser.set_floor_plane(plane)

    def set_camera_pose(self, pose: NDArray[np.float64] | None) -> None:
        """Take the camera's pose (4, 4) in a fixed frame whose z axis points up, at the next frame [m].

        None = unknown: the floor and the person's feet then tell how the camera moves.
        """
        self._stabiliser.set_camera_pose(pose)

    def process(self, item: JointsOfFrame | None) -> ExerciseUpdate | None:
        """Return the exercise and its repetitions at one frame; None without a frame, and where it is dropped.

        Args:
            item: Joints in SMPL_24, None where no person was found. A stamp that is not later than the last one by up
                to a second drops the frame, which is counted in `dropped`; an older one resets the stage.

        Returns:
            The classification at this frame, and the finished repetition, if any.
        """
        if item is None:
            return None
        update = self.recognise(item.stamp_ns, item.frame_id, item.joints)
        return None if self._verdict.drops else update

    def recognise(self, stamp_ns: int, frame_id: str, joints: Joints | None) -> ExerciseUpdate:
        """Return the exercise at a stamp [ns] from the joints of that frame, None where no person was found.

        A frame that is dropped because of its stamp has the last classification and no repetition.
        """
        self._verdict = self._stamps.check(stamp_ns)
        if self._verdict.drops:
            return self._update(stamp_ns, frame_id, None)
        if self._verdict is StampVerdict.JUMP_BACK:
            self.reset()
            self._stamps.check(stamp_ns)
        self._add(stamp_ns, joints)
        stride = self._settings.stride_frames
        if self._frames >= stride and stamp_ns - self._tried_ns >= stride * SHORTEST_FRAME_NS:
            self._classify(stamp_ns)
            self._frames, self._tried_ns = 0, stamp_ns
        self._frames += 1
        return self._update(stamp_ns, frame_id, self._counter.update(stamp_ns, frame_id, self._label, self._history))

    def _add(self, stamp_ns: int, joints: Joints | None) -> None:
        """Add the joints of a frame to the history; forget the label of a person who is out of view."""
        forget_ns = self._settings.forget_s * 1e9
        if joints is None:
            self._history.append_positions(stamp_ns, None)
            if self._last_seen_ns is not None and stamp_ns - self._last_seen_ns > forget_ns:
                self._forget_label()
            return
        if self._last_seen_ns is None or stamp_ns - self._last_seen_ns > forget_ns:
            self._seen_since_ns = stamp_ns
            self._counter.interrupt()
            self._forget_label()
        self._last_seen_ns = stamp_ns
        positions_m, correction = self._stabiliser.process(stamp_ns, joints.positions_m)
        if correction is not None:
            self._history.move(correction.rotation, correction.translation_m)
            self._counter.turn(correction.rotation)
        confidence = joints.confidence[SMPL_INDICES]
        self._history.append_positions(stamp_ns, positions_m, self._stabiliser.motion, confidence)

    def _update(self, stamp_ns: int, frame_id: str, repetition: Repetition | None) -> ExerciseUpdate:
        """Return the label, its confidence and the repetitions at a stamp [ns]."""
        probability = float(self._probabilities[self._classifier.labels.index(self._label)])
        classification = ExerciseClassification(
            stamp_ns=stamp_ns,
            frame_id=frame_id,
            start_ns=min(self._start_ns, stamp_ns),
            label=self._label,
            # `none` is also the label when no exercise reaches the threshold: its confidence is that of "no exercise".
            confidence=probability if self._label != NONE else 1.0 - float(self._probabilities[1:].max()),
            probabilities=self._probabilities,
            out_of_distribution=self._out_of_distribution,
            model_id=self.model_id,
        )
        progress = self._counter.progress(stamp_ns, frame_id)
        return ExerciseUpdate(classification=classification, repetition=repetition, progress=progress)

    def _classify(self, stamp_ns: int) -> None:
        """Classify the window that ends at a stamp [ns] and update the label."""
        settings, stamps_ns = self._settings, self._history.stamps_ns
        times_ns = stamp_ns - np.arange(WINDOW_SAMPLES - 1, -1, -1, dtype=np.int64) * STEP_NS
        first_ns = max(int(stamps_ns[0]), self._seen_since_ns)
        self._start_ns = int(max(times_ns[0], first_ns))
        only_none = np.eye(len(self._classifier.labels))[0]
        is_hidden = self._last_seen_ns is None or stamp_ns - self._last_seen_ns > settings.forget_s * 1e9
        if is_hidden or stamp_ns - first_ns < settings.minimum_history_s * 1e9:
            self._update_label(stamp_ns, only_none, out_of_distribution=False)
            return
        kept = int(np.searchsorted(stamps_ns, first_ns))
        window_m = resample(stamps_ns[kept:], self._history.positions_m[kept:], times_ns)
        recent_m = window_m[-max(3, round(settings.quiet_s * SAMPLE_RATE_HZ)) :]
        range_m = float(motion_range_m(recent_m[None])[0])
        few_joints = range_m < settings.quiet_range_m
        if few_joints and all(label in LABELS for label in self._classifier.labels):
            self._be_quiet(stamp_ns)
            return
        camera_moved = self._stabiliser.moved_since(stamp_ns - int(settings.quiet_s * 1e9))
        if camera_moved and deformation_range_m(recent_m) < settings.quiet_range_m:
            self._be_quiet(stamp_ns)
            return
        correct = self._correct(times_ns, window_m)
        probabilities, is_unfamiliar = self._classifier.classify(window_m, self._history.up, correct)
        best = self._classifier.labels[int(probabilities.argmax())]
        # The shipped network's exercises move most of the body; others may move one leg.
        if few_joints and (best in LABELS or not self._counter.signal_moves(best, recent_m, self._history.up)):
            self._be_quiet(stamp_ns)
            return
        self._update_label(stamp_ns, probabilities, out_of_distribution=is_unfamiliar)

    def _correct(self, times_ns: NDArray[np.int64], window_m: NDArray[np.float32]) -> Correct | None:
        """Return what computes the correction by the other streams that are there in time; None = they are not used."""
        fused = self._fused
        if fused is None or self._findings is None:
            return None
        findings, up = self._findings.window(times_ns, self._history), self._history.up
        return lambda features, present, frames: fused.corrections(
            window_m[None], up[None], findings, (features, present), frames
        )

    def _be_quiet(self, stamp_ns: int) -> None:
        """Update the label while nothing moves: to `none`, but a hold in the middle of a repetition keeps its label."""
        if not self._counter.holding(stamp_ns):
            only_none = np.eye(len(self._classifier.labels))[0]
            self._update_label(stamp_ns, only_none, out_of_distribution=False)

    def _update_label(self, stamp_ns: int, probabilities: NDArray[np.float64], *, out_of_distribution: bool) -> None:
        """Filter the probabilities over time; change the label when another has been best for `label_hold_s`."""
        settings = self._settings
        step_s = 0.0 if self._classified_ns is None else (stamp_ns - self._classified_ns) * 1e-9
        weight = step_s / (step_s + settings.probability_smoothing_s) if step_s > 0 else 1.0
        self._probabilities = self._probabilities + weight * (probabilities - self._probabilities)
        self._classified_ns, self._out_of_distribution = stamp_ns, out_of_distribution
        best = int(self._probabilities.argmax())
        winner = self._classifier.labels[best] if self._probabilities[best] >= settings.confidence_threshold else NONE
        if winner != self._candidate:
            self._candidate, self._candidate_ns = winner, stamp_ns
        if winner == self._label or stamp_ns - self._candidate_ns >= settings.label_hold_s * 1e9:
            self._label = winner


def _fused_stages(settings: ExerciseSettings) -> tuple[FusedNetwork | None, FindingsHistory | None]:
    """Return the network of all streams and the history of what it uses; None where only the joints are used.

    Raises:
        ModelFileError: The weights cannot be used.
    """
    if settings.streams != "fused":
        return None, None
    network = FusedNetwork(settings.fused_weights_path)
    return network, FindingsHistory(network.vertices, network.body_model)


def _classes(settings: ExerciseSettings) -> tuple[str, str, bool]:
    """Return the settings that the classifier depends on."""
    return settings.weights_path, settings.library_path, settings.library


def _classifier(settings: ExerciseSettings) -> WindowClassifier:
    """Return the classifier of the settings."""
    return WindowClassifier(settings.weights_path, folder=settings.library_path, library=settings.library)
