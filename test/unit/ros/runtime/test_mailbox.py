"""Mailbox: the oldest items are dropped and counted, and closing waits for the item being processed."""

from __future__ import annotations

import threading

from rehab_pose.ros.runtime.mailbox import Mailbox

TIMEOUT_S = 5.0


class SlowWork:
    """A work function that waits for an event and records the items."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.may_finish = threading.Event()
        self.done: list[int] = []
        self.all_done = threading.Semaphore(0)

    def __call__(self, item: int) -> None:
        self.started.set()
        assert self.may_finish.wait(TIMEOUT_S)
        self.done.append(item)
        self.all_done.release()


def test_the_newest_item_replaces_the_waiting_one_and_every_drop_is_counted() -> None:
    work = SlowWork()
    mailbox = Mailbox(work, "test")
    mailbox.put(0)
    assert work.started.wait(TIMEOUT_S)
    replaced = [mailbox.put(item) for item in range(1, 6)]
    assert replaced == [[], [1], [2], [3], [4]]
    work.may_finish.set()
    for _ in range(2):
        assert work.all_done.acquire(timeout=TIMEOUT_S)
    mailbox.close()
    assert work.done == [0, 5]
    assert len(work.done) + mailbox.replaced == 6


def test_a_larger_mailbox_processes_the_newest_items_in_order() -> None:
    work = SlowWork()
    mailbox = Mailbox(work, "test", capacity=3)
    mailbox.put(0)
    assert work.started.wait(TIMEOUT_S)
    for item in range(1, 6):
        mailbox.put(item)
    work.may_finish.set()
    for _ in range(4):
        assert work.all_done.acquire(timeout=TIMEOUT_S)
    mailbox.close()
    assert work.done == [0, 3, 4, 5]
    assert mailbox.replaced == 2


def test_closing_finishes_the_current_item_and_counts_the_waiting_ones() -> None:
    work = SlowWork()
    mailbox = Mailbox(work, "test")
    mailbox.put(0)
    assert work.started.wait(TIMEOUT_S)
    mailbox.put(1)
    work.may_finish.set()
    mailbox.close()
    assert len(work.done) + mailbox.replaced == 2
    mailbox.put(2)
    assert 2 not in work.done


def test_a_smaller_mailbox_drops_the_oldest_at_the_next_item() -> None:
    work = SlowWork()
    mailbox = Mailbox(work, "test", capacity=4)
    mailbox.put(0)
    assert work.started.wait(TIMEOUT_S)
    for item in range(1, 5):
        mailbox.put(item)
    mailbox.capacity = 2
    mailbox.put(5)
    work.may_finish.set()
    for _ in range(3):
        assert work.all_done.acquire(timeout=TIMEOUT_S)
    mailbox.close()
    assert (work.done, mailbox.replaced) == ([0, 4, 5], 3)
