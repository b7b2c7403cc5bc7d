"""Messages of one frame come together whatever their order is; kinds that no longer come are not waited for."""

from __future__ import annotations

from rehab_pose.ros.io.stamp_collector import CAPACITY, StampCollector


class Clock:
    """A clock that is set by hand [s]."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def collector() -> tuple[StampCollector[str], Clock]:
    clock = Clock()
    found: StampCollector[str] = StampCollector(clock)
    for kind in ("joints", "bones", "mesh"):
        found.add(kind, 0, kind)
    return found, clock


def test_a_frame_is_complete_when_every_kind_is_there() -> None:
    frames, _ = collector()
    assert frames.add("mesh", 1, "m1") is None
    assert frames.add("joints", 1, "j1") is None
    assert frames.add("joints", 2, "j2") is None
    assert frames.add("bones", 1, "b1") == {"mesh": "m1", "joints": "j1", "bones": "b1"}
    assert frames.add("mesh", 2, "m2") is None
    assert frames.add("bones", 2, "b2") == {"mesh": "m2", "joints": "j2", "bones": "b2"}
    assert frames.incomplete == 0


def test_older_frames_are_given_up_when_a_newer_one_is_complete_and_counted() -> None:
    frames, _ = collector()
    frames.add("joints", 1, "j1")
    for kind in ("joints", "bones"):
        frames.add(kind, 2, kind)
    assert frames.add("mesh", 2, "mesh") is not None
    assert frames.incomplete == 1


def test_a_kind_that_no_longer_comes_is_not_waited_for() -> None:
    frames, clock = collector()
    clock.now_s = 1.5
    assert frames.add("joints", 1, "j1") == {"joints": "j1"}
    assert frames.add("bones", 1, "b1") is None  # its joints were shown already; from now on bones are waited for
    assert frames.add("bones", 2, "b2") is None
    assert frames.add("joints", 2, "j2") == {"bones": "b2", "joints": "j2"}


def test_what_waits_is_bounded() -> None:
    frames, _ = collector()
    for stamp in range(1, 100):
        assert frames.add("joints", stamp, "j") is None
    assert frames.incomplete == 99 - CAPACITY


def test_a_recording_that_begins_again_is_shown_again() -> None:
    frames, clock = collector()
    clock.now_s = 2.0
    assert frames.add("joints", 20_000_000_000, "late") is not None
    assert frames.add("joints", 19_900_000_000, "before") is None
    assert frames.add("joints", 1_000_000_000, "again") == {"joints": "again"}
