"""How the recogniser does frame by frame, as before a live camera."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import Joints, JointState, unknown_plane
from rehab_pose.exercise.catalogue import LABELS, NONE
from rehab_pose.exercise.recognizer import ExerciseRecognizer
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.training.exercise_windows import MOVING_SAMPLES, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rehab_pose.recordings.clip import Clip

__all__ = ["clip_joints", "score_streaming"]

SETTLED_NS = 3_000_000_000
"""The label must be right this long after the first movement [ns]."""


def clip_joints(clip: Clip) -> Iterator[Joints]:
    """Yield a clip's frames as the joints stage would have given them."""
    missing = np.isnan(clip.positions_m).any(axis=-1)
    state = np.where(missing, JointState.MISSING, JointState.OBSERVED).astype(np.uint8)
    for row, stamp_ns in enumerate(clip.stamps_ns.tolist()):
        yield Joints(
            stamp_ns=stamp_ns,
            frame_id=clip.dataset,
            skeleton=clip.skeleton,
            positions_m=clip.positions_m[row],
            confidence=clip.confidence[row],
            sigma_m=np.full(len(clip.skeleton), np.nan),
            state=state[row],
            floor_plane=unknown_plane(),
        )


def score_streaming(weights_path: str, clips: Sequence[Clip]) -> dict[str, float]:
    """Return how often the live label is right from 3 s after the first movement to the last.

    Movement begins with whatever the person does first, also with getting into the starting posture.

    Returns:
        streaming_acc (share of frames), streaming_none (share of those frames where none is said), label_within_3s
        (share of clips whose right label was said within 3 s), frame_ms_mean and frame_ms_p95.
    """
    recognizer = ExerciseRecognizer(ExerciseSettings(weights_path=weights_path))
    right = none = frames = in_time = judged = 0
    durations_ms: list[float] = []
    for clip in clips:
        prepared = prepare(clip, LABELS.index(clip.label))
        if prepared is None or not len(prepared.active_ends_ns):
            continue
        # A window that has just begun to show movement saw it begin up to its own length earlier.
        start_ns = max(int(prepared.active_ends_ns[0]) - MOVING_SAMPLES * 50_000_000, int(clip.stamps_ns[0]))
        end_ns = int(prepared.active_ends_ns[-1])
        recognizer.reset()
        found = False
        judged += 1
        for joints in clip_joints(clip):
            began = time.perf_counter()
            label = recognizer.recognize(joints.stamp_ns, joints.frame_id, joints).recognition.label
            durations_ms.append((time.perf_counter() - began) * 1e3)
            found = found or (label == clip.label and joints.stamp_ns <= start_ns + SETTLED_NS)
            if start_ns + SETTLED_NS <= joints.stamp_ns <= end_ns:
                frames += 1
                right += label == clip.label
                none += label == NONE
        in_time += found
    return {
        "streaming_acc": right / frames if frames else float("nan"),
        "streaming_none": none / frames if frames else float("nan"),
        "label_within_3s": in_time / judged if judged else float("nan"),
        "n_streamed_frames": frames,
        "frame_ms_mean": float(np.mean(durations_ms)) if durations_ms else float("nan"),
        "frame_ms_p95": float(np.percentile(durations_ms, 95)) if durations_ms else float("nan"),
    }
