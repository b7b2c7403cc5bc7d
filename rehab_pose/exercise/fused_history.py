"""Findings of the other stages in the last seconds, matched by stamp with the joints; late ones are missing."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.fused_features import Findings, contour_points, keypoint_summary
from rehab_pose.exercise.sample_buffer import SampleBuffer
from rehab_pose.exercise.window_features import MAX_GAP_S, SAMPLE_RATE_HZ, WINDOW_SAMPLES
from rehab_pose.stage import JUMP_BACK_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body, BodyParts, Keypoints
    from rehab_pose.exercise.joint_history import JointHistory

__all__ = ["FindingsHistory"]

DURATION_S = WINDOW_SAMPLES / SAMPLE_RATE_HZ + 1.0
"""Findings are kept for a window and a second in which they may be late [s]."""
CAPACITY = 1024
"""Samples of each buffer, of which at least half are available: DURATION_S at 100 Hz; 3 MB in all."""
QUEUE_LENGTH = 10
"""Keypoints that may wait for the parts of the same frame, whose box they need: a third of a second at 30 Hz."""
NEAR_NS = round(0.5e9 * MAX_GAP_S)
"""A sample is used for times up to this far from it [ns]: streams of 4 Hz and more have no gaps."""
LATE_NS = round(0.5e9 / SAMPLE_RATE_HZ)
"""The last sample is used for times up to this long after it [ns], as the last joints are."""
LATE, NO_PARTS, OTHER_BODY = "older than the last one", "keypoints without parts", "vertices of another body model"
"""Reasons for which findings are dropped."""


class FindingsHistory:
    """Keeps keypoints, parts, rotations and vertices of the last seconds.

    Findings are added from any thread, each stream by itself and whenever it comes; the recogniser's thread takes the
    windows.
    """

    def __init__(self, vertices: NDArray[np.int64], body_model: str) -> None:
        """Allocate the buffers.

        Args:
            vertices: (VERTEX_COUNT) indices of the vertices that are used.
            body_model: Name of the body model that they belong to. Its variants, whose names are longer, have the same
                vertices; those of another model are dropped.
        """
        self._vertices, self._body_model = vertices, body_model
        self._lock = threading.Lock()
        empty = Findings.missing(0, 0)
        self._buffers = {
            name: SampleBuffer(DURATION_S, array.shape[2:], CAPACITY) for name, array in vars(empty).items()
        }
        self._waiting: dict[int, Keypoints] = {}
        self._dropped: Counter[str] = Counter()

    @property
    def dropped(self) -> Counter[str]:
        """Number of findings that were dropped since the history was made, by reason."""
        with self._lock:
            return self._dropped.copy()

    def reset(self) -> None:
        """Discard all findings."""
        with self._lock:
            self._waiting.clear()
            for buffer in self._buffers.values():
                buffer.clear()

    def add_frame(self, stamp_ns: int, keypoints: Keypoints | None, parts: BodyParts | None, body: Body | None) -> None:
        """Add everything that was found in a frame; None where a stage did not run or no person was found."""
        self.add_parts(stamp_ns, parts)
        self.add_keypoints(stamp_ns, keypoints)
        self.add_body(stamp_ns, body)

    def add_keypoints(self, stamp_ns: int, keypoints: Keypoints | None) -> None:
        """Add the keypoints of a frame; None where no person was found. They wait for the parts of the same frame."""
        with self._lock:
            boxes = self._buffers["boxes_px"]
            place = int(np.searchsorted(boxes.stamps_ns, stamp_ns))
            if keypoints is None:
                self._add("families", stamp_ns, None)
            elif place < len(boxes) and boxes.stamps_ns[place] == stamp_ns:
                self._summarise(stamp_ns, keypoints, boxes.values[place])
            else:
                self._waiting[stamp_ns] = keypoints
                while len(self._waiting) > QUEUE_LENGTH:
                    self._waiting.pop(next(iter(self._waiting)))
                    self._dropped[NO_PARTS] += 1

    def add_parts(self, stamp_ns: int, parts: BodyParts | None) -> None:
        """Add the parts of a frame; None where no person was found."""
        with self._lock:
            if parts is None:
                self._add("boxes_px", stamp_ns, None)
                self._add("contours_px", stamp_ns, None)
            else:
                self._add("boxes_px", stamp_ns, np.array(parts.box_px, dtype=np.float32))
                self._add("contours_px", stamp_ns, contour_points(parts))
            keypoints = self._waiting.pop(stamp_ns, None)
            if keypoints is not None:
                box_px = np.full(4, np.nan) if parts is None else np.array(parts.box_px, dtype=np.float32)
                self._summarise(stamp_ns, keypoints, box_px)

    def add_body(self, stamp_ns: int, body: Body | None) -> None:
        """Add the body of a frame, and its vertices where it has some; None where no person was found."""
        with self._lock:
            self._add("rotations_rad", stamp_ns, None if body is None else body.parameters.rotations_rad[1:])
        if body is not None and len(body.vertices_m):
            self.add_vertices(stamp_ns, body.vertices_m, body.model_id)

    def add_vertices(self, stamp_ns: int, vertices_m: NDArray[Any], body_model: str) -> None:
        """Add all vertices (V, 3) [m] of the body of a frame, and the name of its model; V = 0 without a person."""
        with self._lock:
            if not len(vertices_m):
                self._add("vertices_m", stamp_ns, None)
            elif not body_model.startswith(self._body_model) or self._vertices.max() >= len(vertices_m):
                self._dropped[OTHER_BODY] += 1
            else:
                self._add("vertices_m", stamp_ns, vertices_m[self._vertices])

    def window(self, times_ns: NDArray[np.int64], joints: JointHistory) -> Findings:
        """Return the findings at the times of a window as one window; NaN where a stream is missing or late.

        Args:
            times_ns: (T) increasing [ns].
            joints: The joints of the same frames, into whose frame the vertices are moved.
        """
        with self._lock:
            arrays = {name: self._resampled(name, times_ns, joints)[None] for name in self._buffers}
        return Findings(**arrays)

    def _summarise(self, stamp_ns: int, keypoints: Keypoints, box_px: NDArray[Any]) -> None:
        """Add the numbers of keypoints relative to the box (4) [px]; NaN = the frame has no parts."""
        if np.isfinite(box_px).all():
            self._add("families", stamp_ns, keypoint_summary(keypoints, box_px))
        else:
            self._dropped[NO_PARTS] += 1

    def _add(self, name: str, stamp_ns: int, sample: NDArray[Any] | None) -> None:
        buffer = self._buffers[name]
        if len(buffer) and stamp_ns <= buffer.stamps_ns[-1]:
            if stamp_ns > buffer.stamps_ns[-1] - JUMP_BACK_NS:
                self._dropped[LATE] += 1
                return
            buffer.clear()  # time jumped back
        buffer.add(stamp_ns, sample)

    def _resampled(self, name: str, times_ns: NDArray[np.int64], joints: JointHistory) -> NDArray[np.float32]:
        """Return the samples of one array (T, ...) that are nearest to the times of a window."""
        stamps_ns, values = self._buffers[name].stamps_ns, self._buffers[name].values
        if not len(stamps_ns):
            return np.full((len(times_ns), *values.shape[1:]), np.nan, dtype=np.float32)
        later = np.minimum(np.searchsorted(stamps_ns, times_ns), len(stamps_ns) - 1)
        earlier = np.maximum(later - 1, 0)
        place = np.where(times_ns - stamps_ns[earlier] < stamps_ns[later] - times_ns, earlier, later)
        distance_ns = np.abs(stamps_ns[place] - times_ns)
        samples = values[place]
        if name == "vertices_m":
            motions = joints.motions_at(stamps_ns[place])
            samples = samples @ motions[:, :, :3].transpose(0, 2, 1) + motions[:, None, :, 3]
        samples[(distance_ns > NEAR_NS) | (times_ns > stamps_ns[-1] + LATE_NS)] = np.nan
        return samples
