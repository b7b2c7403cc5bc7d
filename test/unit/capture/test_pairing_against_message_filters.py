"""StampPairer agrees with message_filters' ApproximateTimeSynchronizer, where that is installed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rehab_pose.capture.pairing import StampPairer
from rehab_pose.units import NS_PER_S

message_filters = pytest.importorskip("message_filters", reason="message_filters is not installed")

SLOP_S = 0.016


def message(stamp_ns: int) -> Any:  # noqa: ANN401
    from builtin_interfaces.msg import Time  # noqa: PLC0415

    seconds, nanoseconds = divmod(stamp_ns, NS_PER_S)
    return SimpleNamespace(header=SimpleNamespace(stamp=Time(sec=seconds, nanosec=nanoseconds)), stamp_ns=stamp_ns)


STREAMS = 1000
FRAMES = 40


def test_the_pairs_of_a_thousand_streams_are_the_same() -> None:
    both = [pairs_of(seed) for seed in range(STREAMS)]
    assert not [seed for seed, (pairs, expected_pairs) in enumerate(both) if pairs != expected_pairs]
    assert sum(len(pairs) for pairs, _ in both) > STREAMS * FRAMES // 4


def pairs_of(seed: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the pairs of both implementations for two streams of stamps with jitter, gaps and an offset."""
    random = np.random.default_rng(seed)
    base = NS_PER_S + np.arange(FRAMES) * 33_000_000
    jitter_ns, kept_fraction = int(random.integers(1, 8_000_000)), random.uniform(0.7, 1.0)
    color = base + random.integers(0, jitter_ns, FRAMES)
    depth = base + random.integers(0, jitter_ns, FRAMES) + int(random.integers(0, 8_000_000))
    events = [(int(stamp), "color") for stamp in color if random.random() < kept_fraction]
    events += [(int(stamp), "depth") for stamp in depth if random.random() < kept_fraction]
    events.sort()
    expected_pairs: list[tuple[int, int]] = []
    streams = {"color": message_filters.SimpleFilter(), "depth": message_filters.SimpleFilter()}
    synchroniser = message_filters.ApproximateTimeSynchronizer(list(streams.values()), 8, SLOP_S)
    synchroniser.registerCallback(lambda one, other: expected_pairs.append((one.stamp_ns, other.stamp_ns)))
    pairer: StampPairer[int, int] = StampPairer(SLOP_S, 8)
    pairs: list[tuple[int, int]] = []
    for stamp, side in events:
        streams[side].signalMessage(message(stamp))
        pairs += pairer.add_first(stamp, stamp) if side == "color" else pairer.add_second(stamp, stamp)
    return pairs, expected_pairs
