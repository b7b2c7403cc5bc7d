"""How often the recogniser is right: windows, whole recordings, the label so far, and movements that are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import EXERCISES
from rehab_pose.exercise.features import FEATURE_INDEX, SAMPLE_RATE_HZ, WINDOW_SAMPLES, motion_range_m, resample
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.exercise.streams import window_streams
from rehab_pose.geometry.floor import CAMERA_UP
from rehab_pose_lab.training.exercise_windows import label_of, prepare

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.datasets.clip import Clip

__all__ = [
    "Judge",
    "Judgements",
    "follow",
    "judge_ends",
    "judge_recordings",
    "labelled_windows",
    "probabilities_of",
    "shows_somebody",
    "window_ends",
]

Judge = Callable[["NDArray[np.float32]", "NDArray[np.float32]"], "NDArray[Any]"]
"""Features (B, T, F) and presence (B, T) to logits (B, C)."""
WINDOW_FRAMES, WINDOW_STRIDE_FRAMES = 64, 32
"""The windows that published figures use, half overlapping, at 30 Hz."""
RATE_HZ = 30.0
SHORT_WINDOWS = {"mars": 2.0}
"""Length of the windows of sets that do not run at 30 Hz [s]."""
WHOLE_CLIPS = frozenset({"utkinect", "ui_prmd"})
"""Sets whose recordings are single movements: a recording is judged by one window that shows all of it."""
STREAM_STEP_S = 0.5
"""The label so far is brought up to date this often [s]."""
STREAM_START_S = 4.0
"""The label so far counts from here on [s]."""
EVIDENCE_FRACTION = 0.5
"""Windows half a second apart share most of their samples: each counts for this much, if an exercise is done."""
SURELY_NONE = (20.0, *(-20.0,) * len(EXERCISES))
IDLE_FRACTION = 0.02
"""What a window that surely shows no exercise still counts, beside one that surely does."""
SWITCH_RATE_HZ = 0.005
"""How often somebody goes over to another exercise [1/s]."""
MIN_FRAMES = 3
"""Fewer frames with a joint show no movement."""
BATCH = 256


@dataclass(frozen=True, eq=False)
class Judgements:
    """What a network said of recordings of known exercises; `none` is not among the answers."""

    names: list[str]
    """(R) recordings that could be judged."""
    subjects: list[str]
    truths: NDArray[np.int64]
    """(R) places in the labels."""
    recordings: NDArray[np.float64]
    """(R, C) probabilities."""
    window_places: NDArray[np.int64]
    """(W) which recording each window is of."""
    windows: NDArray[np.float64]
    """(W, C) probabilities."""
    streamed_right: NDArray[np.int64]
    """(R) frames from STREAM_START_S on whose label so far was right."""
    streamed: NDArray[np.int64]
    """(R) frames from STREAM_START_S on."""
    skipped: list[str]
    """Recordings without a single joint in enough samples, which nobody could judge."""


def probabilities_of(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Return softmax over the last axis."""
    weights = np.exp(np.asarray(logits, dtype=np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True), dtype=np.float64)


def _judge_times(judge: Judge, clip: Clip, times_ns: NDArray[np.int64], *, told: bool) -> NDArray[np.float64]:
    """Return logits (B, C) of windows whose samples lie at the given stamps (B, T), T <= WINDOW_SAMPLES."""
    logits = []
    positions_m = clip.positions_m[:, FEATURE_INDEX]
    for start in range(0, len(times_ns), BATCH):
        times = times_ns[start : start + BATCH]
        found = resample(clip.stamps_ns, positions_m, times.reshape(-1)).reshape(*times.shape, -1, 3)
        windows = np.full((len(times), WINDOW_SAMPLES, len(FEATURE_INDEX), 3), np.nan, dtype=np.float32)
        windows[:, WINDOW_SAMPLES - times.shape[1] :] = found
        facing = np.full(len(times), float(told), dtype=np.float32)
        logits.append(judge(*window_streams(windows, np.tile(CAMERA_UP, (len(windows), 1)), facing)))
    return np.concatenate(logits).astype(np.float64)


def _before(ends_ns: NDArray[np.int64], samples: int) -> NDArray[np.int64]:
    """Return the stamps (B, samples) of the windows that end at the given ones."""
    return ends_ns[:, None] - np.arange(samples - 1, -1, -1) * int(1e9 / SAMPLE_RATE_HZ)


def judge_ends(judge: Judge, clip: Clip, ends_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return logits (B, C) of the full windows that end at the given stamps, as a live camera would see them."""
    return _judge_times(judge, clip, _before(ends_ns, WINDOW_SAMPLES), told=False)


def shows_somebody(clip: Clip) -> bool:
    """Return whether enough frames of a recording have a joint for it to be judged."""
    seen = np.isfinite(clip.positions_m[:, FEATURE_INDEX]).all(axis=-1).any(axis=-1)
    return bool(seen.sum() >= MIN_FRAMES)


def window_ends(clip: Clip) -> tuple[NDArray[np.int64], int]:
    """Return the stamps at which a recording's windows end, half overlapping, and their samples.

    A recording shorter than one window has one window, which ends with it.
    """
    window_s = SHORT_WINDOWS.get(clip.dataset, WINDOW_FRAMES / RATE_HZ)
    samples = round(window_s * SAMPLE_RATE_HZ)
    if clip.dataset == "kimore":  # by frames, as published figures do
        frames = len(clip.stamps_ns)
        places = np.arange(min(WINDOW_FRAMES, frames) - 1, frames, WINDOW_STRIDE_FRAMES)
        return clip.stamps_ns[places], samples
    first = min(clip.stamps_ns[0] + int((window_s - 1.0 / SAMPLE_RATE_HZ) * 1e9), clip.stamps_ns[-1])
    return np.arange(first, clip.stamps_ns[-1] + 1, int(window_s * 0.5e9), dtype=np.int64), samples


def follow(probabilities: NDArray[np.float64], doing: NDArray[np.float64], step_s: float) -> NDArray[np.float64]:
    """Return the probabilities of the exercise given everything so far (N, C), from those of windows (N, C).

    A forward filter of a hidden Markov model whose state hardly ever changes. Somebody who stands still says nothing
    about the exercise, however long: a window counts by how likely it is that one is being done, `doing` (N).
    """
    classes = probabilities.shape[1]
    stay = np.exp(-SWITCH_RATE_HZ * step_s)
    belief, followed = np.full(classes, 1.0 / classes), []
    for window, share in zip(probabilities, doing, strict=True):
        belief = stay * belief + (1.0 - stay) / classes
        belief = belief * np.maximum(window, 1e-6) ** (
            EVIDENCE_FRACTION * (IDLE_FRACTION + (1.0 - IDLE_FRACTION) * share)
        )
        belief = belief / belief.sum()
        followed.append(belief)
    return np.array(followed)


def _stream(judge: Judge, live: Judge, clip: Clip, truth: int) -> tuple[int, int]:
    """Return how many frames from STREAM_START_S on have the right label so far, and how many there are."""
    first_ns, last_ns = int(clip.stamps_ns[0]), int(clip.stamps_ns[-1])
    ends_ns = np.arange(first_ns + int(1e9), last_ns + 1, int(STREAM_STEP_S * 1e9), dtype=np.int64)
    frames_ns = clip.stamps_ns[clip.stamps_ns >= first_ns + int(STREAM_START_S * 1e9)]
    if not len(ends_ns) or not len(frames_ns):
        return 0, 0
    among = probabilities_of(_judge_times(judge, clip, _before(ends_ns, WINDOW_SAMPLES), told=True))
    doing = 1.0 - probabilities_of(judge_ends(live, clip, ends_ns))[:, 0]
    said = follow(among, doing, STREAM_STEP_S).argmax(axis=-1)
    at_frames = said[np.searchsorted(ends_ns, frames_ns, side="right") - 1]
    return int((at_frames == truth).sum()), len(frames_ns)


def judge_recordings(
    judge: Judge, clips: Sequence[Clip], labels: Sequence[str], *, live: Judge | None = None
) -> Judgements:
    """Judge every window of every recording, and every recording, among the exercises.

    A recording's answer is the exercise with the highest mean probability over its windows; single movements are
    judged by one window that shows all of them.

    Args:
        judge: Network among the exercises.
        clips: Recordings whose label is one of `labels`.
        labels: The exercises, without `none`.
        live: Network of all labels: follow the label through each recording, too.

    Raises:
        RecordingError: No recording could be judged, or one has an unknown label.
    """
    names: list[str] = []
    subjects: list[str] = []
    skipped: list[str] = []
    streamed: list[tuple[int, int]] = []
    truths, answers, places, windows = [], [], [], []
    for clip in clips:
        if clip.label not in labels:
            msg = f"{clip.name}: expected one of {', '.join(labels)}, it is labelled {clip.label}"
            raise RecordingError(msg)
        if not shows_somebody(clip):
            skipped.append(clip.name)
            continue
        truth = labels.index(clip.label)
        ends_ns, samples = window_ends(clip)
        said = probabilities_of(_judge_times(judge, clip, _before(ends_ns, samples), told=True))
        if clip.dataset in WHOLE_CLIPS:
            times_ns = np.linspace(clip.stamps_ns[0], clip.stamps_ns[-1], WINDOW_SAMPLES).astype(np.int64)
            answer = probabilities_of(_judge_times(judge, clip, times_ns[None], told=True))[0]
        else:
            answer = said.mean(axis=0)
        places.append(np.full(len(said), len(names)))
        names.append(clip.name)
        subjects.append(clip.subject)
        truths.append(truth)
        answers.append(answer)
        windows.append(said)
        streamed.append((0, 0) if live is None else _stream(judge, live, clip, truth))
    if not names:
        msg = f"expected recordings to judge, none of {len(clips)} shows a person long enough; check the folder"
        raise RecordingError(msg)
    return Judgements(
        names=names,
        subjects=subjects,
        truths=np.array(truths, dtype=np.int64),
        recordings=np.array(answers),
        window_places=np.concatenate(places),
        windows=np.concatenate(windows),
        streamed_right=np.array([right for right, _ in streamed], dtype=np.int64),
        streamed=np.array([frames for _, frames in streamed], dtype=np.int64),
        skipped=skipped,
    )


def _quiet(clip: Clip, ends_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return True (N) where the live recogniser says `none` unasked, because nothing moved."""
    settings = ExerciseSettings()
    times_ns = _before(ends_ns, round(settings.quiet_s * SAMPLE_RATE_HZ))
    windows = resample(clip.stamps_ns, clip.positions_m[:, FEATURE_INDEX], times_ns.reshape(-1))
    return motion_range_m(windows.reshape(*times_ns.shape, -1, 3)) < settings.quiet_range_m


def labelled_windows(judge: Judge, clips: Sequence[Clip]) -> tuple[NDArray[np.float64], NDArray[np.int64], list[str]]:
    """Return logits (N, C), truths (N) and what each shows, of full windows twice a second that move or are still.

    What it shows: the set's name and its label for the movement, or `still`. Where nothing moves the answer is
    `none` whatever the network says, as before a live camera.
    """
    logits, truths, shown = [], [], []
    for clip in clips:
        label = label_of(clip)
        prepared = None if label is None else prepare(clip, label)
        if prepared is None or label is None:
            continue
        for ends_ns, truth in ((prepared.active_ends_ns[::5], label), (prepared.quiet_ends_ns[::5], 0)):
            if len(ends_ns):
                found = judge_ends(judge, clip, ends_ns)
                found[_quiet(clip, ends_ns)] = SURELY_NONE
                logits.append(found)
                truths.append(np.full(len(ends_ns), truth, dtype=np.int64))
                word = clip.label if truth == label else "still"
                shown += [f"{clip.dataset}/{word}"] * len(ends_ns)
    if not logits:
        return np.zeros((0, 1)), np.zeros(0, dtype=np.int64), []
    return np.concatenate(logits), np.concatenate(truths), shown
