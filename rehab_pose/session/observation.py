"""Observed time and gaps of a session, from the stamps of the classifications that arrive during it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from rehab_pose.units import NS_PER_S

__all__ = ["Gap", "GapReason", "Observation", "ObservationTracker"]

GAP_S = 1.0
"""Shortest time without a result, or without a person, that is named as a gap [s]; a repetition takes longer."""


class GapReason(Enum):
    """Reasons why a part of a session was not observed."""

    NO_RESULTS = "no_results"
    STAGE_OUTAGE = "stage_outage"
    NO_PERSON = "no_person"
    SESSION_NODE_DOWN = "session_node_down"

    @property
    def sentence(self) -> str:
        """The reason for people."""
        return _SENTENCES[self]


_SENTENCES = {
    GapReason.NO_RESULTS: "no images or no results arrived",
    GapReason.STAGE_OUTAGE: "the program that names the exercise was not running",
    GapReason.NO_PERSON: "no person was in view",
    GapReason.SESSION_NODE_DOWN: "the program that keeps the session was not running",
}


@dataclass(frozen=True)
class Gap:
    """A part of a session that was not observed."""

    reason: GapReason
    start_ns: int
    """Stamp of the last frame before the gap [ns]."""
    end_ns: int
    """Stamp of the first frame after the gap [ns]."""

    @property
    def duration_s(self) -> float:
        """Length of the gap [s]."""
        return (self.end_ns - self.start_ns) / NS_PER_S


@dataclass
class Observation:
    """Cumulated observation since the session, or its node, started."""

    first_ns: int = 0
    """Stamp of the first frame [ns]; 0 = no frame yet."""
    last_ns: int = 0
    """Stamp of the newest frame [ns]."""
    frames: int = 0
    frames_with_person: int = 0
    observed_ns: int = 0
    """Time with a person in view, without gaps [ns]."""
    confidence_sum: float = 0.0
    """Sum of the confidences of the label over the frames with a person."""
    unknown_movements: int = 0
    """Frames with a person whose movement differs from the training data."""
    time_jumps: int = 0
    """Number of times that a stamp was older than the one before it."""


class ObservationTracker:
    """Follows the frames of a running session.

    Attributes:
        total: The observation so far.
    """

    def __init__(self, last_ns: int = 0, first_gap: GapReason = GapReason.NO_RESULTS) -> None:
        """Start without a frame.

        Args:
            last_ns: Stamp of the last frame before the start [ns]; 0 = unknown. A first frame much later is a gap.
            first_gap: Reason of that gap.
        """
        self.total = Observation()
        self._last_ns, self._arrived_s = last_ns, 0.0
        self._gap_reason = first_gap
        self._absent_ns: int | None = None

    def stage_down(self) -> None:
        """Note that no node publishes classifications now: the gap that follows is an outage."""
        if self._gap_reason is GapReason.NO_RESULTS:
            self._gap_reason = GapReason.STAGE_OUTAGE

    def frame(
        self, stamp_ns: int, arrived_s: float, *, present: bool, confidence: float, unknown_movement: bool
    ) -> list[Gap]:
        """Take the classification of a frame; return the gaps that end with it.

        Args:
            stamp_ns: Stamp of the frame [ns].
            arrived_s: Time of its arrival on the monotonic clock [s].
            present: Whether a person was in view.
            confidence: Confidence of the label, 0 to 1.
            unknown_movement: Whether the movement differs from the training data.
        """
        total, before_ns = self.total, self._last_ns
        step_ns = stamp_ns - before_ns if before_ns else 0
        gaps = []
        if step_ns < 0:
            total.time_jumps += 1
            self._absent_ns = None
        elif step_ns > GAP_S * NS_PER_S:
            gaps += self._absence_until(before_ns)
            gaps.append(Gap(self._gap_reason, before_ns, stamp_ns))
        elif present and self._absent_ns is None:
            total.observed_ns += step_ns
        if present:
            gaps += self._absence_until(stamp_ns)
        elif self._absent_ns is None:
            self._absent_ns = stamp_ns
        total.first_ns = total.first_ns or stamp_ns
        total.last_ns = self._last_ns = stamp_ns
        total.frames += 1
        if present:
            total.frames_with_person += 1
            total.confidence_sum += confidence if confidence == confidence else 0.0  # noqa: PLR0124  (NaN)
            total.unknown_movements += unknown_movement
        self._arrived_s, self._gap_reason = arrived_s, GapReason.NO_RESULTS
        return gaps

    def finish(self, now_s: float) -> list[Gap]:
        """Return the gaps that are open at the end of the session.

        Args:
            now_s: Time of the end on the monotonic clock [s].
        """
        silent_s = now_s - self._arrived_s if self._arrived_s else 0.0
        gaps = self._absence_until(self._last_ns)
        if silent_s > GAP_S:
            gaps.append(Gap(self._gap_reason, self._last_ns, self._last_ns + round(silent_s * NS_PER_S)))
        return gaps

    def _absence_until(self, stamp_ns: int) -> list[Gap]:
        start_ns, self._absent_ns = self._absent_ns, None
        if start_ns is None or stamp_ns - start_ns <= GAP_S * NS_PER_S:
            return []
        return [Gap(GapReason.NO_PERSON, start_ns, stamp_ns)]
