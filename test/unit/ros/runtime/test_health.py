"""Health: counters, rates, silence and errors in the report."""

from __future__ import annotations

import sys
import threading

import pytest

from rehab_pose.ros.runtime.health import DROPPED_STAMPS, LOST_BETWEEN, Health, Level


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_gap_in_a_publishers_numbers_is_counted_as_lost() -> None:
    health = Health(Clock())
    entry = health.add_input("joints", "/joints", watched=True)
    for number in (5, 6, 9, 10):
        health.arrived(entry, b"one", number)
    assert entry.lost == 2
    health.arrived(entry, b"two", 1)  # another publisher, or a restarted one, has its own sequence numbers
    assert entry.lost == 2
    assert health.report().values["lost in transport: /joints"] == "2"


def test_the_rate_is_read_while_messages_arrive_on_another_thread() -> None:
    health = Health(Clock())
    entry = health.add_input("joints", "/joints", watched=True)
    ending = threading.Event()

    def receive() -> None:
        while not ending.is_set():
            health.arrived(entry)

    receiver, interval_s = threading.Thread(target=receive), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    receiver.start()
    try:
        for _ in range(1000):
            entry.rate_hz(100.0)
    finally:
        ending.set()
        receiver.join()
        sys.setswitchinterval(interval_s)
    assert entry.received > 0


def test_rate_and_latency_are_computed_from_the_clock() -> None:
    clock = Clock()
    health = Health(clock)
    entry = health.add_input("rgbd", "/rgbd", watched=True)
    for _ in range(60):
        arrived_s = health.arrived(entry)
        clock.now_s += 0.05
        health.done(arrived_s, present=True)
    values = health.report().values
    assert float(values["rate [Hz]"]) == pytest.approx(20.0, abs=0.5)
    assert values["latency [ms]"] == "50.0"
    assert 19.0 < entry.rate_hz(clock.now_s) <= 20.0


def test_a_silent_input_is_a_warning_until_the_next_message() -> None:
    clock = Clock()
    health = Health(clock)
    entry = health.add_input("rgbd", "/ns/rgbd", watched=True)
    health.add_input("exercise/label", "/exercise/label", watched=False)
    health.arrived(entry)
    assert health.report().level is Level.OK
    clock.now_s += 5.0
    report = health.report()
    assert report.level is Level.WARN
    assert report.message == "no message for 5 s on /ns/rgbd"
    health.arrived(entry)
    assert health.report().level is Level.OK


def test_an_input_without_a_subscription_is_not_silent_and_loses_nothing_in_between() -> None:
    clock = Clock()
    health = Health(clock)
    health.arrived(health.add_input("joints", "/joints", watched=True), b"one", 1)
    health.remove_input("joints")
    clock.now_s += 60.0
    assert health.report().level is Level.OK
    entry = health.add_input("joints", "/joints", watched=True)
    assert health.report().level is Level.OK
    health.arrived(entry, b"one", 900)
    assert (entry.received, entry.lost) == (2, 0)
    clock.now_s += 5.0
    assert health.report().message == "no message for 5 s on /joints"


def test_an_error_sets_the_level_for_some_seconds_and_is_kept_as_last_error() -> None:
    clock = Clock()
    health = Health(clock)
    health.error("the camera is not calibrated")
    health.drop("InputError", 2)
    report = health.report(queue_drops=3)
    assert (report.level, report.message) == (Level.ERROR, "the camera is not calibrated")
    assert report.values["dropped: InputError"] == "2"
    assert report.values["dropped: replaced by newer"] == "3"
    clock.now_s += 60.0
    report = health.report()
    assert report.level is Level.OK
    assert report.values["last error"] == "the camera is not calibrated"


def test_implausible_ages_of_frames_are_left_out_of_the_mean() -> None:
    clock = Clock()
    health = Health(clock)
    assert health.report().values["age of the frame [ms]"] == "nan"
    for age_s in (0.050, 0.070, 1e6, -1.0):
        health.done(clock.now_s, present=True, age_s=age_s)
    assert health.report().values["age of the frame [ms]"] == "60.0"


def test_stamps_of_lost_frames_are_reported_for_some_seconds() -> None:
    clock = Clock()
    health = Health(clock)
    entry = health.add_input("rgbd", "/ns/rgbd", watched=True)
    health.arrived(entry, b"one", 1, 100)
    health.arrived(entry, b"one", 4, 400)
    health.drop("InputError", stamp_ns=400)
    health.drop("findings that no label followed")
    health.note_dropped([500, 600])
    values = health.report().values
    assert values[DROPPED_STAMPS] == "400 500 600"
    assert values[LOST_BETWEEN + "rgbd"] == "100-400:2"
    clock.now_s += 60.0
    assert not {DROPPED_STAMPS, LOST_BETWEEN + "rgbd"} & health.report().values.keys()
