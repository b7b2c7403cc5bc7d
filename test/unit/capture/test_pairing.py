"""StampPairer: each item in at most one pair, within the slop, and every other item counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.capture.pairing import StampPairer

FRAME_NS = 33_333_333
SLOP_S = 0.016
DEPTH = 8


def run(events: list[tuple[str, int]], pairer: StampPairer[int, int]) -> list[tuple[int, int]]:
    pairs = []
    for stream, stamp in events:
        add = pairer.add_first if stream == "first" else pairer.add_second
        pairs += add(stamp, stamp)
    return pairs


def test_equal_stamps_are_paired_in_any_order() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    events = [("first", 0), ("second", 0), ("second", FRAME_NS), ("first", FRAME_NS)]
    assert run(events, pairer) == [(0, 0), (FRAME_NS, FRAME_NS)]
    assert pairer.dropped_first == pairer.dropped_second == 0


def test_an_item_without_partner_is_counted_when_it_is_discarded() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S, depth=3)
    assert run([("first", index * FRAME_NS) for index in range(5)], pairer) == []
    assert pairer.dropped_first == 2
    assert pairer.take_dropped() == [0, FRAME_NS]
    assert pairer.take_dropped() == []


def test_a_jump_back_in_time_discards_the_waiting_items() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    late = 100 * FRAME_NS
    assert run([("first", late), ("first", 0), ("second", 0)], pairer) == [(0, 0)]
    assert pairer.dropped_first == 1
    assert pairer.take_dropped() == [late]


def test_the_last_pair_before_a_jump_is_found_when_the_other_stream_has_jumped_already() -> None:
    late = 100 * FRAME_NS
    for leader, follower in (("first", "second"), ("second", "first")):
        pairer: StampPairer[int, int] = StampPairer(SLOP_S)
        events = [(leader, late - FRAME_NS), (leader, late), (leader, 0), (leader, FRAME_NS)]
        events += [(follower, late - FRAME_NS), (follower, late), (follower, 0), (follower, FRAME_NS)]
        expected = [(stamp, stamp) for stamp in (late - FRAME_NS, late, 0, FRAME_NS)]
        assert run(events, pairer) == expected
        assert pairer.dropped_first == pairer.dropped_second == 0


def test_an_item_before_a_jump_is_dropped_when_its_partner_is_missing() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    late = 100 * FRAME_NS
    events = [("first", late - FRAME_NS), ("first", late), ("first", 0), ("second", late), ("second", 0)]
    assert run(events, pairer) == [(late, late), (0, 0)]
    assert pairer.take_dropped() == [late - FRAME_NS]
    assert (pairer.dropped_first, pairer.dropped_second) == (1, 0)


def test_of_two_jumps_of_one_stream_only_the_items_before_the_newest_are_kept() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    late, later = 100 * FRAME_NS, 200 * FRAME_NS
    assert run([("first", later), ("first", late), ("first", 0)], pairer) == []
    assert pairer.take_dropped() == [later]
    assert run([("second", late), ("second", 0)], pairer) == [(late, late), (0, 0)]


def test_clearing_drops_the_items_of_both_sides_of_a_jump() -> None:
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    run([("first", 100 * FRAME_NS), ("first", 0)], pairer)
    pairer.clear()
    assert sorted(pairer.take_dropped()) == [0, 100 * FRAME_NS]
    assert run([("second", 100 * FRAME_NS), ("second", 0)], pairer) == []


@given(
    losses=st.lists(st.sampled_from(["both", "first", "second", "neither"]), min_size=1, max_size=60),
    jitter_seed=st.integers(0, 2**32 - 1),
)
def test_every_item_is_paired_or_counted_as_dropped(losses: list[str], jitter_seed: int) -> None:
    random = np.random.default_rng(jitter_seed)
    events = []
    for index, received in enumerate(losses):
        streams = [stream for stream in ("first", "second") if received in ("both", stream)]
        jitter_ns = random.integers(-4_000_000, 4_000_001, size=len(streams))
        events += [(stream, index * FRAME_NS + int(late)) for stream, late in zip(streams, jitter_ns, strict=True)]
    pairer: StampPairer[int, int] = StampPairer(SLOP_S)
    pairs = run(events, pairer)
    pairer.clear()
    first_count = sum(stream == "first" for stream, _ in events)
    assert all(abs(first - second) <= SLOP_S * 1e9 for first, second in pairs)
    assert len({first for first, _ in pairs}) == len(pairs) == len({second for _, second in pairs})
    assert len(pairs) == sum(received == "both" for received in losses)
    assert len(pairs) + pairer.dropped_first == first_count
    assert len(pairs) + pairer.dropped_second == len(events) - first_count


@given(frames=st.integers(40, 60), rounds=st.integers(1, 4), order_seed=st.integers(0, 2**32 - 1))
def test_in_a_loop_each_item_is_paired_though_the_streams_arrive_one_behind_the_other(
    frames: int, rounds: int, order_seed: int
) -> None:
    random = np.random.default_rng(order_seed)
    stamps = [index * FRAME_NS for index in range(frames)] * rounds
    events: list[tuple[str, int]] = []
    sent = {"first": 0, "second": 0}
    while min(sent.values()) < len(stamps):
        stream = min(sent, key=sent.__getitem__)
        if random.random() < 0.5 and max(sent.values()) - min(sent.values()) < DEPTH:
            stream = max(sent, key=sent.__getitem__)
        if sent[stream] == len(stamps):
            stream = min(sent, key=sent.__getitem__)
        events.append((stream, stamps[sent[stream]]))
        sent[stream] += 1
    pairer: StampPairer[int, int] = StampPairer(SLOP_S, DEPTH)
    assert run(events, pairer) == [(stamp, stamp) for stamp in stamps]
    assert pairer.dropped_first == pairer.dropped_second == 0
