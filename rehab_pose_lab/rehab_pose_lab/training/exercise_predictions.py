"""Predictions of the recogniser for windows, whole recordings, the filtered label over time, and `none`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.feature_streams import window_streams
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.window_features import (
    SAMPLE_RATE_HZ,
    SMPL_INDICES,
    WINDOW_SAMPLES,
    motion_range_m,
    resample,
)
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.datasets.movement_phases import movement_phases
from rehab_pose_lab.training.exercise_windows import PHASED_SETS, label_of, labelled_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_lab.datasets.movement_phases import MovementPhases

__all__ = [
    "PHASES",
    "Predictions",
    "Predictor",
    "filter_labels",
    "labelled_windows",
    "predict_at_ends",
    "predict_recordings",
    "probabilities_of",
    "shows_a_person",
    "window_ends",
]

Predictor = Callable[["NDArray[np.float32]", "NDArray[np.float32]"], "NDArray[Any]"]
"""Features (B, T, F) and presence (B, T) to logits (B, C)."""
WINDOW_FRAMES, WINDOW_STRIDE_FRAMES = 64, 32
"""The windows of published results, half overlapping, at 30 Hz."""
RATE_HZ = 30.0
WINDOW_S_BY_DATASET = {"mars": 2.0}
"""Length of the windows of sets with another frame rate than 30 Hz [s]."""
SINGLE_MOVEMENT_SETS = frozenset({"utkinect", "ui_prmd"})
"""Sets whose recordings are single movements: a recording is classified by one window that spans all of it."""
STREAM_STEP_S = 0.5
"""Interval between updates of the filtered label [s]."""
STREAM_START_S = 4.0
"""The filtered label is evaluated from this time on [s]."""
EVIDENCE_FRACTION = 0.5
"""Exponent of a window's likelihood: windows half a second apart share most of their samples."""
NONE_LOGIT = 20.0
"""Logit of `none` in a window in which nothing moves; the negative value for all exercises."""
IDLE_FRACTION = 0.02
"""Weight of a window that certainly shows no exercise relative to one that certainly does."""
SWITCH_RATE_HZ = 0.005
"""Rate of transitions to another exercise in the filter [1/s]."""
PHASES = ("unknown", "before", "across", "within", "after", "gesture")
"""Places of a window in its recording: wholly before, within or after the exercise, across one of its ends, or with its
middle in a gesture; unknown where the recording does not show its exercise."""
AFTER_START_S = 2.0
"""Time after the start of the exercise from which a filtered label should be correct [s]."""
MIN_FRAMES = 3
"""Recordings with fewer frames that have a joint are not classified."""
BATCH = 256
"""Windows per call of the network."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions for recordings of known exercises, among the exercises without `none`."""

    names: list[str]
    """(R) names of the recordings with predictions."""
    subjects: list[str]
    truths: NDArray[np.int64]
    """(R) indices of the true labels."""
    recordings: NDArray[np.float64]
    """(R, C) probabilities."""
    window_places: NDArray[np.int64]
    """(W) index of each window's recording."""
    windows: NDArray[np.float64]
    """(W, C) probabilities."""
    streamed_right: NDArray[np.int64]
    """(R) number of frames from STREAM_START_S on with a correct filtered label."""
    streamed: NDArray[np.int64]
    """(R) number of frames from STREAM_START_S on."""
    skipped: list[str]
    """Recordings with too few frames that have a joint."""
    window_phases: NDArray[np.int64]
    """(W) one of PHASES."""
    phases_right: NDArray[np.int64]
    """(R, 3) frames with a correct filtered label: before the exercise, inside it from AFTER_START_S on, after it."""
    phases_streamed: NDArray[np.int64]
    """(R, 3) frames in each of these times."""


def probabilities_of(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Return softmax over the last axis."""
    weights = np.exp(np.asarray(logits, dtype=np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True), dtype=np.float64)


def _predict_at_times(
    predict: Predictor, clip: Clip, times_ns: NDArray[np.int64], *, facing: bool
) -> NDArray[np.float64]:
    """Return logits (B, C) of windows with samples at the given stamps (B, T) [ns], T <= WINDOW_SAMPLES."""
    logits = []
    positions_m = clip.positions_m[:, SMPL_INDICES]
    for start in range(0, len(times_ns), BATCH):
        times = times_ns[start : start + BATCH]
        resampled = resample(clip.stamps_ns, positions_m, times.reshape(-1)).reshape(*times.shape, -1, 3)
        windows = np.full((len(times), WINDOW_SAMPLES, len(SMPL_INDICES), 3), np.nan, dtype=np.float32)
        windows[:, WINDOW_SAMPLES - times.shape[1] :] = resampled
        known_facing = np.full(len(times), float(facing), dtype=np.float32)
        logits.append(predict(*window_streams(windows, np.tile(CAMERA_UP, (len(windows), 1)), known_facing)))
    return np.concatenate(logits).astype(np.float64)


def _stamps_before(ends_ns: NDArray[np.int64], samples: int) -> NDArray[np.int64]:
    """Return the stamps (B, samples) of windows that end at the given ones (B) [ns]."""
    return ends_ns[:, None] - np.arange(samples - 1, -1, -1) * int(1e9 / SAMPLE_RATE_HZ)


def predict_at_ends(predict: Predictor, clip: Clip, ends_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return logits (B, C) of the full windows that end at the given stamps (B) [ns], as for a live camera."""
    return _predict_at_times(predict, clip, _stamps_before(ends_ns, WINDOW_SAMPLES), facing=False)


def shows_a_person(clip: Clip) -> bool:
    """Return whether enough frames of a recording have a joint."""
    known = np.isfinite(clip.positions_m[:, SMPL_INDICES]).all(axis=-1).any(axis=-1)
    return bool(known.sum() >= MIN_FRAMES)


def window_ends(clip: Clip) -> tuple[NDArray[np.int64], int]:
    """Return the stamps at which a recording's half overlapping windows end [ns], and their number of samples.

    A recording that is shorter than one window has one window, which ends with it.
    """
    window_s = WINDOW_S_BY_DATASET.get(clip.dataset, WINDOW_FRAMES / RATE_HZ)
    samples = round(window_s * SAMPLE_RATE_HZ)
    if clip.dataset == "kimore":  # by frames, as in published results
        frames = len(clip.stamps_ns)
        places = np.arange(min(WINDOW_FRAMES, frames) - 1, frames, WINDOW_STRIDE_FRAMES)
        return clip.stamps_ns[places], samples
    first = min(clip.stamps_ns[0] + int((window_s - 1.0 / SAMPLE_RATE_HZ) * 1e9), clip.stamps_ns[-1])
    return np.arange(first, clip.stamps_ns[-1] + 1, int(window_s * 0.5e9), dtype=np.int64), samples


def filter_labels(
    probabilities: NDArray[np.float64], exercising: NDArray[np.float64], step_s: float
) -> NDArray[np.float64]:
    """Return the probabilities of the exercise given all windows so far (N, C).

    Forward filter of a hidden Markov model with rare transitions. A person who stands still gives no information about
    the exercise, so the likelihood of a window is weighted with the probability that an exercise is being performed.

    Args:
        probabilities: (N, C) of the windows, in order of time.
        exercising: (N) probability that the window shows an exercise.
        step_s: Time between windows [s].
    """
    classes = probabilities.shape[1]
    stay = np.exp(-SWITCH_RATE_HZ * step_s)
    posterior, filtered = np.full(classes, 1.0 / classes), []
    for window, weight in zip(probabilities, exercising, strict=True):
        posterior = stay * posterior + (1.0 - stay) / classes
        posterior = posterior * np.maximum(window, 1e-6) ** (
            EVIDENCE_FRACTION * (IDLE_FRACTION + (1.0 - IDLE_FRACTION) * weight)
        )
        posterior = posterior / posterior.sum()
        filtered.append(posterior)
    return np.array(filtered)


def _window_phases(clip: Clip, phases: MovementPhases | None, ends_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the index in PHASES of windows that end at the given stamps (W) [ns]."""
    if phases is None:
        return np.full(len(ends_ns), PHASES.index("unknown"), dtype=np.int64)
    starts_ns = np.maximum(ends_ns - int((WINDOW_FRAMES - 1) / RATE_HZ * 1e9), clip.stamps_ns[0])
    found = np.full(len(ends_ns), PHASES.index("across"), dtype=np.int64)
    found[ends_ns <= phases.first_ns] = PHASES.index("before")
    found[starts_ns >= phases.last_ns] = PHASES.index("after")
    found[phases.within(starts_ns, ends_ns)] = PHASES.index("within")
    found[phases.in_gesture((starts_ns + ends_ns) // 2)] = PHASES.index("gesture")
    return found


_NOT_STREAMED = (0, 0, (0, 0, 0), (0, 0, 0))


def _stream(
    predict: Predictor, live: Predictor, clip: Clip, truth: int, phases: MovementPhases | None
) -> tuple[int, int, tuple[int, ...], tuple[int, ...]]:
    """Return numbers of frames: correct from STREAM_START_S on, all of these, and correct and all in the three times.

    The times are those of `Predictions.phases_right`; none where the phases are unknown.
    """
    first_ns, last_ns = int(clip.stamps_ns[0]), int(clip.stamps_ns[-1])
    ends_ns = np.arange(first_ns + int(1e9), last_ns + 1, int(STREAM_STEP_S * 1e9), dtype=np.int64)
    frames_ns = clip.stamps_ns[clip.stamps_ns >= first_ns + int(1e9)]
    if not len(ends_ns) or not len(frames_ns):
        return _NOT_STREAMED
    among = probabilities_of(_predict_at_times(predict, clip, _stamps_before(ends_ns, WINDOW_SAMPLES), facing=True))
    exercising = 1.0 - probabilities_of(predict_at_ends(live, clip, ends_ns))[:, 0]
    labels = filter_labels(among, exercising, STREAM_STEP_S).argmax(axis=-1)
    at_frames = labels[np.searchsorted(ends_ns, frames_ns, side="right") - 1]
    right, late = at_frames == truth, frames_ns >= first_ns + int(STREAM_START_S * 1e9)
    times = [np.zeros(len(frames_ns), dtype=np.bool_)] * 3
    if phases is not None:
        begun = frames_ns >= phases.start_ns + int(AFTER_START_S * 1e9)
        over = frames_ns > phases.end_ns
        times = [frames_ns < phases.start_ns, begun & ~over, over]
    in_times = [(int(right[inside].sum()), int(inside.sum())) for inside in times]
    return (
        int(right[late].sum()),
        int(late.sum()),
        tuple(count for count, _ in in_times),
        tuple(count for _, count in in_times),
    )


def predict_recordings(
    predict: Predictor, clips: Sequence[Clip], labels: Sequence[str], *, live: Predictor | None = None
) -> Predictions:
    """Classify every window of every recording, and every recording, among the exercises.

    The prediction of a recording is the mean of its windows' probabilities; a recording of a single movement is
    classified by one window that spans all of it.

    Args:
        predict: Predictor among the exercises.
        clips: Recordings whose label is one of `labels`.
        labels: The exercises, without `none`.
        live: Predictor of all labels; where it is given, the label is also filtered through each recording.

    Raises:
        RecordingError: No recording shows a person long enough, or one has an unknown label.
    """
    names: list[str] = []
    subjects: list[str] = []
    skipped: list[str] = []
    streamed: list[tuple[int, int, tuple[int, ...], tuple[int, ...]]] = []
    truths, recordings, window_places, windows, window_phases = [], [], [], [], []
    for clip in clips:
        if clip.label not in labels:
            msg = f"{clip.name}: expected one of {', '.join(labels)}, its label is {clip.label}"
            raise RecordingError(msg)
        if not shows_a_person(clip):
            skipped.append(clip.name)
            continue
        truth = labels.index(clip.label)
        ends_ns, samples = window_ends(clip)
        of_windows = probabilities_of(_predict_at_times(predict, clip, _stamps_before(ends_ns, samples), facing=True))
        if clip.dataset in SINGLE_MOVEMENT_SETS:
            times_ns = np.linspace(clip.stamps_ns[0], clip.stamps_ns[-1], WINDOW_SAMPLES).astype(np.int64)
            of_recording = probabilities_of(_predict_at_times(predict, clip, times_ns[None], facing=True))[0]
        else:
            of_recording = of_windows.mean(axis=0)
        phases = movement_phases(clip) if clip.dataset in PHASED_SETS else None
        window_phases.append(_window_phases(clip, phases, ends_ns))
        window_places.append(np.full(len(of_windows), len(names)))
        names.append(clip.name)
        subjects.append(clip.subject)
        truths.append(truth)
        recordings.append(of_recording)
        windows.append(of_windows)
        streamed.append(_NOT_STREAMED if live is None else _stream(predict, live, clip, truth, phases))
    if not names:
        msg = f"expected recordings to classify, none of {len(clips)} shows a person long enough; check the folder"
        raise RecordingError(msg)
    return Predictions(
        names=names,
        subjects=subjects,
        truths=np.array(truths, dtype=np.int64),
        recordings=np.array(recordings),
        window_places=np.concatenate(window_places),
        windows=np.concatenate(windows),
        streamed_right=np.array([entry[0] for entry in streamed], dtype=np.int64),
        streamed=np.array([entry[1] for entry in streamed], dtype=np.int64),
        skipped=skipped,
        window_phases=np.concatenate(window_phases),
        phases_right=np.array([entry[2] for entry in streamed], dtype=np.int64),
        phases_streamed=np.array([entry[3] for entry in streamed], dtype=np.int64),
    )


def _not_moving(clip: Clip, ends_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return True (N) where the live recogniser reports `none` without the network, because nothing moved."""
    settings = ExerciseSettings()
    times_ns = _stamps_before(ends_ns, round(settings.quiet_s * SAMPLE_RATE_HZ))
    windows = resample(clip.stamps_ns, clip.positions_m[:, SMPL_INDICES], times_ns.reshape(-1))
    return motion_range_m(windows.reshape(*times_ns.shape, -1, 3)) < settings.quiet_range_m


def labelled_windows(
    predict: Predictor, clips: Sequence[Clip], names: Sequence[str] = LABELS
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[str]]:
    """Return logits (N, C), true labels (N) and movements of full windows, twice a second.

    The movement is the set's name and its label, `still`, or a part of a recording outside of its exercise (`around`,
    `gesture`). Where nothing moves the prediction is `none`, as in the live recogniser.
    """
    logits, truths, movements = [], [], []
    for clip in clips:
        label = label_of(clip, names)
        for part in [] if label is None else labelled_parts(clip, label):
            still = f"{clip.dataset}/still"
            windows = ((part.active_ends_ns[::5], part.label, part.movement), (part.quiet_ends_ns[::5], 0, still))
            for ends_ns, truth, movement in windows:
                if len(ends_ns):
                    window_logits = predict_at_ends(predict, clip, ends_ns)
                    window_logits[_not_moving(clip, ends_ns)] = [NONE_LOGIT, *[-NONE_LOGIT] * (len(names) - 1)]
                    logits.append(window_logits)
                    truths.append(np.full(len(ends_ns), truth, dtype=np.int64))
                    movements += [movement] * len(ends_ns)
    if not logits:
        return np.zeros((0, 1)), np.zeros(0, dtype=np.int64), []
    return np.concatenate(logits), np.concatenate(truths), movements
