"""StampPairer: each image once, within the slop, nothing lost uncounted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.capture.pairing import StampPairer

FRAME_NS = 33_333_333
SLOP_S = 0.016


def run(events: list[tuple[str, int]], pairer: StampPairer[int, int]) -> list[tuple[int, int]]:
    pairs = []
    for kind, stamp in events:
        add = pairer.add_first if kind == "color" else pairer.add_second
        pairs += add(stamp, stamp)
    return pairs


def test_equal_stamps_pair_whatever_comes_first() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    events = [("color", 0), ("depth", 0), ("depth", FRAME_NS), ("color", FRAME_NS)]
    assert run(events, pairer) == [(0, 0), (FRAME_NS, FRAME_NS)]
    assert pairer.dropped_first == pairer.dropped_second == 0


def test_an_image_without_partner_is_counted_when_it_leaves() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S, depth=3)
    assert run([("color", index * FRAME_NS) for index in range(5)], pairer) == []
    assert pairer.dropped_first == 2


def test_a_jump_back_in_time_starts_afresh() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    late = 100 * FRAME_NS
    assert run([("color", late), ("color", 0), ("depth", 0)], pairer) == [(0, 0)]
    assert pairer.jumps_back == 1
    assert pairer.dropped_first == 1


@given(
    losses=st.lists(st.sampled_from(["both", "color", "depth", "neither"]), min_size=1, max_size=60),
    jitter_seed=st.integers(0, 2**32 - 1),
)
def test_every_image_is_paired_dropped_or_waiting(losses: list[str], jitter_seed: int) -> None:
    random = np.random.default_rng(jitter_seed)
    events = []
    for index, seen in enumerate(losses):
        kinds = [kind for kind in ("color", "depth") if seen in ("both", kind)]
        jitter_ns = random.integers(-4_000_000, 4_000_001, size=len(kinds))
        events += [(kind, index * FRAME_NS + int(late)) for kind, late in zip(kinds, jitter_ns, strict=True)]
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    pairs = run(events, pairer)
    color_count = sum(kind == "color" for kind, _ in events)
    depth_count = len(events) - color_count
    assert all(abs(color - depth) <= SLOP_S * 1e9 for color, depth in pairs)
    assert len({color for color, _ in pairs}) == len(pairs) == len({depth for _, depth in pairs})
    assert len(pairs) == sum(seen == "both" for seen in losses)
    assert 2 * len(pairs) + pairer.dropped_first + pairer.dropped_second + pairer.waiting == color_count + depth_count
