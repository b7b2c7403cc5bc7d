"""The newest wins, what it replaces is counted, and closing waits for the work in hand."""

from __future__ import annotations

import threading

from rehab_pose.ros.runtime.mailbox import Mailbox

TIMEOUT_S = 5.0


class SlowWork:
    """Work that starts when told and notes what it was given."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.done: list[int] = []
        self.all_done = threading.Semaphore(0)

    def __call__(self, item: int) -> None:
        self.begun.set()
        assert self.go_on.wait(TIMEOUT_S)
        self.done.append(item)
        self.all_done.release()


def test_the_newest_replaces_what_waits_and_nothing_is_lost_uncounted() -> None:
    work = SlowWork()
    mailbox = Mailbox(work, "test")
    mailbox.put(0)
    assert work.begun.wait(TIMEOUT_S)
    for item in range(1, 6):
        mailbox.put(item)
    work.go_on.set()
    for _ in range(2):
        assert work.all_done.acquire(timeout=TIMEOUT_S)
    mailbox.close()
    assert work.done == [0, 5]
    assert len(work.done) + mailbox.replaced == 6


def test_a_larger_mailbox_keeps_the_order() -> None:
    work = SlowWork()
    mailbox = Mailbox(work, "test", capacity=3)
    mailbox.put(0)
    assert work.begun.wait(TIMEOUT_S)
    for item in range(1, 6):
        mailbox.put(item)
    work.go_on.set()
    for _ in range(4):
        assert work.all_done.acquire(timeout=TIMEOUT_S)
    mailbox.close()
    assert work.done == [0, 3, 4, 5]
    assert mailbox.replaced == 2


def test_closing_finishes_the_work_in_hand_and_counts_what_waits() -> None:
    work = SlowWork()
    mailbox = Mailbox(work, "test")
    mailbox.put(0)
    assert work.begun.wait(TIMEOUT_S)
    mailbox.put(1)
    work.go_on.set()
    mailbox.close()
    assert len(work.done) + mailbox.replaced == 2
    mailbox.put(2)
    assert 2 not in work.done


def test_a_smaller_mailbox_drops_the_oldest_at_the_next_item() -> None:
    work = SlowWork()
    mailbox = Mailbox(work, "test", capacity=4)
    mailbox.put(0)
    assert work.begun.wait(TIMEOUT_S)
    for item in range(1, 5):
        mailbox.put(item)
    mailbox.capacity = 2
    mailbox.put(5)
    work.go_on.set()
    for _ in range(3):
        assert work.all_done.acquire(timeout=TIMEOUT_S)
    mailbox.close()
    assert (work.done, mailbox.replaced) == ([0, 4, 5], 3)
