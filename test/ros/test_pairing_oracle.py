"""Where message_filters is installed, our pairing agrees with its ApproximateTimeSynchronizer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rehab_pose.capture.pairing import FramePairer

message_filters = pytest.importorskip("message_filters", reason="message_filters is not installed")

NS_PER_S = 1_000_000_000
SLOP_S = 0.016


def message(stamp_ns: int) -> Any:  # noqa: ANN401
    from builtin_interfaces.msg import Time  # noqa: PLC0415

    seconds, nanoseconds = divmod(stamp_ns, NS_PER_S)
    return SimpleNamespace(header=SimpleNamespace(stamp=Time(sec=seconds, nanosec=nanoseconds)), stamp_ns=stamp_ns)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_pairs_come_out(seed: int) -> None:
    random = np.random.default_rng(seed)
    base = NS_PER_S + np.arange(200) * 33_000_000
    color = base + random.integers(0, 4_000_000, 200)
    depth = base + random.integers(0, 4_000_000, 200)
    events = [(int(stamp), "color") for stamp in color if random.random() > 0.1]
    events += [(int(stamp), "depth") for stamp in depth if random.random() > 0.1]
    events.sort()
    theirs: list[tuple[int, int]] = []
    sides = {"color": message_filters.SimpleFilter(), "depth": message_filters.SimpleFilter()}
    synchroniser = message_filters.ApproximateTimeSynchronizer(list(sides.values()), 8, SLOP_S)
    synchroniser.registerCallback(lambda one, other: theirs.append((one.stamp_ns, other.stamp_ns)))
    pairer: FramePairer[int, int] = FramePairer(SLOP_S, 8)
    ours: list[tuple[int, int]] = []
    for stamp, side in events:
        sides[side].signalMessage(message(stamp))
        ours += pairer.add_color(stamp, stamp) if side == "color" else pairer.add_depth(stamp, stamp)
    assert ours == theirs
