"""Pairing by message_filters gives the same pairs as StampPairer and keeps its counts, where message_filters exists."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rehab_pose.capture.pairing import Pairer, StampPairer
from rehab_pose.errors import MissingDependencyError
from rehab_pose.ros.io.message_filters_pairing import MessageFiltersPairer, message_pairer
from rehab_pose.units import NS_PER_S

SLOP_S, DEPTH = 0.016, 8
STREAMS, FRAMES = 300, 40
INSTALLED = importlib.util.find_spec("message_filters") is not None
needs_message_filters = pytest.mark.skipif(not INSTALLED, reason="message_filters is not installed")


def message(stamp_ns: int) -> Any:  # noqa: ANN401
    from builtin_interfaces.msg import Time  # noqa: PLC0415

    seconds, nanoseconds = divmod(stamp_ns, NS_PER_S)
    return SimpleNamespace(header=SimpleNamespace(stamp=Time(sec=seconds, nanosec=nanoseconds)), stamp_ns=stamp_ns)


def events_of(seed: int) -> list[tuple[int, str]]:
    """Return stamps of two streams with jitter, gaps and an offset, in order."""
    random = np.random.default_rng(seed)
    base = NS_PER_S + np.arange(FRAMES) * 33_000_000
    jitter_ns, kept_fraction = int(random.integers(1, 8_000_000)), random.uniform(0.7, 1.0)
    color = base + random.integers(0, jitter_ns, FRAMES)
    depth = base + random.integers(0, jitter_ns, FRAMES) + int(random.integers(0, 8_000_000))
    events = [(int(stamp), "color") for stamp in color if random.random() < kept_fraction]
    events += [(int(stamp), "depth") for stamp in depth if random.random() < kept_fraction]
    return sorted(events)


def fed(pairer: Pairer[Any, Any], events: list[tuple[int, str]]) -> list[tuple[int, int]]:
    pairs = []
    for stamp_ns, side in events:
        add = pairer.add_first if side == "color" else pairer.add_second
        pairs += [(one.stamp_ns, other.stamp_ns) for one, other in add(stamp_ns, message(stamp_ns))]
    return pairs


def counts(pairer: Pairer[Any, Any]) -> tuple[int, int, list[int]]:
    return pairer.dropped_first, pairer.dropped_second, sorted(pairer.take_dropped())


def test_without_message_filters_the_own_pairing_is_used() -> None:
    assert isinstance(message_pairer("own", SLOP_S, DEPTH), StampPairer)
    assert isinstance(message_pairer("auto", SLOP_S, DEPTH), MessageFiltersPairer if INSTALLED else StampPairer)
    if not INSTALLED:
        with pytest.raises(MissingDependencyError, match="expected the package message_filters"):
            message_pairer("message_filters", SLOP_S, DEPTH)


@needs_message_filters
def test_pairs_and_losses_of_hundreds_of_streams_are_the_same() -> None:
    paired = 0
    for seed in range(STREAMS):
        own, filters = StampPairer[Any, Any](SLOP_S, DEPTH), message_pairer("message_filters", SLOP_S, DEPTH)
        events = events_of(seed)
        pairs = fed(own, events)
        assert fed(filters, events) == pairs, seed
        assert counts(filters) == counts(own), seed
        paired += len(pairs)
    assert paired > STREAMS * FRAMES // 4


@needs_message_filters
def test_pairing_goes_on_after_time_went_back() -> None:
    events = events_of(0)
    looped = [(stamp_ns + 60 * NS_PER_S, side) for stamp_ns, side in events] + events
    own, filters = StampPairer[Any, Any](SLOP_S, DEPTH), message_pairer("message_filters", SLOP_S, DEPTH)
    assert fed(filters, looped) == fed(own, looped)
    assert counts(filters) == counts(own)


@needs_message_filters
def test_the_last_pair_before_a_jump_is_found_when_one_stream_jumps_first() -> None:
    color, depth = [60 * NS_PER_S, 0], [60 * NS_PER_S, 0]
    for first, second in (("color", "depth"), ("depth", "color")):
        events = [(stamp_ns, first) for stamp_ns in color] + [(stamp_ns, second) for stamp_ns in depth]
        own, filters = StampPairer[Any, Any](SLOP_S, DEPTH), message_pairer("message_filters", SLOP_S, DEPTH)
        assert fed(filters, events) == fed(own, events) == [(60 * NS_PER_S, 60 * NS_PER_S), (0, 0)]
        assert counts(filters) == counts(own) == (0, 0, [])
