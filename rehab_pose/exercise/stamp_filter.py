"""Choice of the frames that are processed, by their stamps: repeated and late ones are dropped and counted."""

from __future__ import annotations

from collections import Counter
from enum import Enum

from rehab_pose.stage import JUMP_BACK_NS

__all__ = ["StampFilter", "StampVerdict"]


class StampVerdict(Enum):
    """The verdict on a stamp; the value is the reason under which a dropped frame is counted."""

    NEW = "new"
    """Later than all before: the frame is processed."""
    JUMP_BACK = "time jumped back"
    """Older than the newest by more than JUMP_BACK_NS: earlier frames are forgotten, and the frame is processed."""
    REPEATED = "stamp repeated"
    LATE = "stamp older than the last one"
    ZERO = "stamp is zero: the driver of the camera does not fill it"

    @property
    def drops(self) -> bool:
        """True if the frame is dropped."""
        return self in {StampVerdict.REPEATED, StampVerdict.LATE, StampVerdict.ZERO}


class StampFilter:
    """Compares each stamp with the newest one.

    Attributes:
        dropped: Number of dropped frames by verdict, since the filter was made.
    """

    def __init__(self) -> None:
        self.dropped: Counter[StampVerdict] = Counter()
        self.reset()

    def reset(self) -> None:
        """Forget the newest stamp; the counts are kept."""
        self._newest_ns: int | None = None

    def check(self, stamp_ns: int) -> StampVerdict:
        """Return the verdict on the stamp of the next frame [ns].

        A stamp of zero is that of a simulation's first frame, or it was not filled: the first one is processed, those
        after it are dropped as zero.
        """
        verdict = self._verdict(stamp_ns)
        if verdict.drops:
            self.dropped[verdict] += 1
        else:
            self._newest_ns = stamp_ns
        return verdict

    def _verdict(self, stamp_ns: int) -> StampVerdict:
        if self._newest_ns is None or stamp_ns > self._newest_ns:
            return StampVerdict.NEW
        if stamp_ns == 0:
            return StampVerdict.ZERO
        if stamp_ns == self._newest_ns:
            return StampVerdict.REPEATED
        return StampVerdict.LATE if stamp_ns >= self._newest_ns - JUMP_BACK_NS else StampVerdict.JUMP_BACK
