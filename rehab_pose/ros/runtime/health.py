"""Health of a node: counters that its threads update and that /diagnostics shows. Imports no ROS."""

from __future__ import annotations

import math
import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

__all__ = ["DROPPED_STAMPS", "LOST_BETWEEN", "SILENCE", "Health", "InputHealth", "Level", "Report"]

SILENCE = "no message for"
"""First words of the message of a node with a silent input; `rehab-pose doctor` recognises them."""
SILENT_S = 2.0
"""An input without a message for longer than this is reported [s]."""
ERROR_SHOWN_S = 5.0
"""Time after an error during which the level is ERROR [s]."""
OLDEST_S = 10.0
"""Largest plausible age of a frame [s]. An older one was recorded earlier, or the camera's clock differs; its age is
not reported."""
DROPPED_STAMPS = "stamps of dropped frames [ns]"
"""Key of the stamps of the frames that were dropped in the last STAMPS_SHOWN_S, separated by spaces."""
LOST_BETWEEN = "lost between stamps [ns]: "
"""Prefix of the key with the messages of an input lost in the last STAMPS_SHOWN_S, as `after-before:number`; the
input's relative name follows."""
STAMPS_SHOWN_S = 5.0
"""Time for which a stamp is repeated in the reports, some of which may be lost [s]."""
MAX_STAMPS = 1000
"""Largest number of stamps that are kept: drops of 200 frames a second."""
RECENT = 256
"""Frames over which rate and latency are averaged: two seconds of a fast camera."""


def _mean_ms(times_s: Collection[float]) -> float:
    """Return the mean [ms]; NaN if there are no times."""
    return 1e3 * sum(times_s) / len(times_s) if times_s else math.nan


def _rate_hz(stamps_s: Iterable[float], now_s: float) -> float:
    """Return the rate of the events in the last SILENT_S [Hz]."""
    return sum(now_s - stamp < SILENT_S for stamp in stamps_s) / SILENT_S


class Level(IntEnum):
    """The levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass
class InputHealth:
    """Counters of one input topic."""

    full_name: str
    """The topic's full name."""
    watched: bool = True
    """True if silence is reported as a fault."""
    since_s: float = 0.0
    """Time of the last subscription [s]."""
    received: int = 0
    lost: int = 0
    """Messages never received, according to gaps in the publisher's sequence numbers."""
    last_s: float | None = None
    arrivals_s: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    last_message: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """Sequence number and stamp [ns] of the last message of each publisher."""
    lost_between: deque[tuple[float, int, int, int]] = field(default_factory=lambda: deque(maxlen=MAX_STAMPS))
    """Time [s], stamps of the messages before and after [ns] and number of messages of each loss."""

    def rate_hz(self, now_s: float) -> float:
        """Return the rate of arrivals over the last SILENT_S [Hz]; 0 when silent."""
        return _rate_hz(tuple(self.arrivals_s), now_s)  # messages arrive on another thread meanwhile


@dataclass(frozen=True)
class Report:
    """The content of a node's diagnostics."""

    level: Level
    message: str
    values: dict[str, str]


class Health:
    """Counts received, processed and dropped messages, with the reasons. Thread-safe."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        """Start counting.

        Args:
            clock_s: Returns the time of a monotonic clock [s].
        """
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self.inputs: dict[str, InputHealth] = {}
        self.processed = 0
        self.without_person = 0
        self.jumps_back = 0
        self.dropped: Counter[str] = Counter()
        self.facts: dict[str, str] = {}
        """Values that do not change from frame to frame, such as the model."""
        self.warnings: dict[str, str] = {}
        """Warnings that stay until they are removed, by key."""
        self._dropped_stamps: deque[tuple[float, int]] = deque(maxlen=MAX_STAMPS)
        self._last_error = ""
        self._last_error_s = -math.inf
        self._latencies_s: deque[float] = deque(maxlen=RECENT)
        self._ages_s: deque[float] = deque(maxlen=RECENT)
        self._done_s: deque[float] = deque(maxlen=RECENT)

    def add_input(self, topic: str, full_name: str, *, watched: bool) -> InputHealth:
        """Return the counters of a topic that is now subscribed to; those of an earlier subscription go on.

        Args:
            topic: Its relative name.
            full_name: Its full name, for reports.
            watched: Whether silence is reported as a fault.
        """
        with self._lock:
            entry = self.inputs.setdefault(topic, InputHealth(full_name, watched=watched))
            entry.watched, entry.since_s = watched, self._clock_s()
            entry.last_message.clear()  # what was published in between is not lost
        return entry

    def remove_input(self, topic: str) -> None:
        """Keep the counters of a topic that is no longer subscribed to, and expect no more messages."""
        with self._lock:
            self.inputs[topic].watched = False

    def arrived(
        self, entry: InputHealth, publisher: bytes = b"", number: int | None = None, stamp_ns: int = 0
    ) -> float:
        """Count a message; return the time [s]. A gap in the publisher's sequence numbers counts as lost."""
        now_s = self._clock_s()
        with self._lock:
            entry.received += 1
            entry.last_s = now_s
            entry.arrivals_s.append(now_s)
            if number is not None:
                last_number, last_stamp_ns = entry.last_message.get(publisher, (number, 0))
                lost = max(0, number - last_number - 1)
                if lost:
                    entry.lost += lost
                    entry.lost_between.append((now_s, last_stamp_ns, stamp_ns, lost))
                entry.last_message[publisher] = number, stamp_ns
        return now_s

    def done(self, arrived_s: float, *, present: bool, age_s: float = math.nan) -> None:
        """Count a processed frame.

        Args:
            arrived_s: Time of its arrival, on the clock of the constructor [s].
            present: A person was in view.
            age_s: Time since the camera took the frame [s]; NaN = unknown.
        """
        now_s = self._clock_s()
        with self._lock:
            if 0.0 <= age_s < OLDEST_S:
                self._ages_s.append(age_s)
            self.processed += 1
            self.without_person += not present
            self._latencies_s.append(now_s - arrived_s)
            self._done_s.append(now_s)

    def drop(self, reason: str, count: int = 1, *, stamp_ns: int | None = None) -> None:
        """Count dropped frames under a reason.

        Args:
            reason: In words.
            count: Number of frames.
            stamp_ns: Stamp of the frame that gets no label because of that; None = what was dropped is no frame.
        """
        with self._lock:
            self.dropped[reason] += count
        if stamp_ns is not None:
            self.note_dropped([stamp_ns])

    def note_dropped(self, stamps_ns: Iterable[int]) -> None:
        """Report the stamps of frames that get no label, and that are counted elsewhere."""
        now_s = self._clock_s()
        with self._lock:
            self._dropped_stamps.extend((now_s, stamp) for stamp in stamps_ns)

    def error(self, message: str) -> None:
        """Store an error, which the reports of the next ERROR_SHOWN_S show."""
        with self._lock:
            self._last_error = message
            self._last_error_s = self._clock_s()

    def silent_inputs(self) -> dict[str, float]:
        """Return the watched topics without a message for more than SILENT_S, with the time since the last one [s]."""
        now_s = self._clock_s()
        silence = {
            topic: now_s - max(entry.since_s, -math.inf if entry.last_s is None else entry.last_s)
            for topic, entry in self.inputs.items()
            if entry.watched
        }
        return {topic: seconds for topic, seconds in silence.items() if seconds > SILENT_S}

    def report(self, queue_drops: int = 0) -> Report:
        """Return the current level, message and values.

        Args:
            queue_drops: Frames that newer ones replaced in the mailbox.
        """
        now_s = self._clock_s()
        silent = self.silent_inputs()
        with self._lock:
            warnings = [*self.warnings.values()]
            warnings += [
                f"{SILENCE} {seconds:.0f} s on {self.inputs[topic].full_name}" for topic, seconds in silent.items()
            ]
            level, message = (Level.WARN, "; ".join(warnings)) if warnings else (Level.OK, "running")
            if now_s - self._last_error_s < ERROR_SHOWN_S:
                level, message = Level.ERROR, self._last_error
            values = {
                "received": str(sum(entry.received for entry in self.inputs.values())),
                "processed": str(self.processed),
                "no person": str(self.without_person),
                "jumps back in time": str(self.jumps_back),
                "rate [Hz]": f"{_rate_hz(self._done_s, now_s):.1f}",
                "latency [ms]": f"{_mean_ms(self._latencies_s):.1f}",
                "age of the frame [ms]": f"{_mean_ms(self._ages_s):.1f}",
                "dropped: replaced by newer": str(queue_drops),
                **{f"dropped: {reason}": str(count) for reason, count in sorted(self.dropped.items())},
                **{f"lost in transport: {entry.full_name}": str(entry.lost) for entry in self.inputs.values()},
                **{f"received: {entry.full_name}": str(entry.received) for entry in self.inputs.values()},
                "last error": self._last_error,
                **self.facts,
                **self._recent_stamps(now_s),
            }
        return Report(level, message, values)

    def _recent_stamps(self, now_s: float) -> dict[str, str]:
        """Return the stamps of the frames that were dropped or lost lately, by their keys in the report."""
        values = {}
        dropped = [str(stamp) for time_s, stamp in self._dropped_stamps if now_s - time_s < STAMPS_SHOWN_S]
        if dropped:
            values[DROPPED_STAMPS] = " ".join(dropped)
        for topic, entry in self.inputs.items():
            lost = [
                f"{after}-{before}:{number}"
                for time_s, after, before, number in entry.lost_between
                if now_s - time_s < STAMPS_SHOWN_S
            ]
            if lost:
                values[LOST_BETWEEN + topic] = " ".join(lost)
        return values
