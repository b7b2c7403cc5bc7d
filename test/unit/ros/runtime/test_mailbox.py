"""Mailbox: the oldest items are dropped and counted, and closing waits for the item being processed."""

from __future__ import annotations

import threading
import time

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
    dropped: list[int] = []
    mailbox = Mailbox(work, "test", dropped=dropped.append)
    mailbox.put(0)
    assert work.started.wait(TIMEOUT_S)
    for item in range(1, 6):
        mailbox.put(item)
    assert dropped == [1, 2, 3, 4]
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


class StepWork:
    """A work function that records its items and returns from each only after a call of `step`."""

    def __init__(self) -> None:
        self.taken = threading.Semaphore(0)
        self.allowed = threading.Semaphore(0)
        self.items: list[int] = []

    def __call__(self, item: int) -> None:
        self.items.append(item)
        self.taken.release()
        assert self.allowed.acquire(timeout=TIMEOUT_S)

    def step(self) -> None:
        """End the work on the present item and wait until the next one was taken."""
        self.allowed.release()
        assert self.taken.acquire(timeout=TIMEOUT_S)


def test_under_overload_the_newest_item_is_taken_and_skipped_ones_are_counted() -> None:
    work, dropped = StepWork(), list[int]()
    mailbox = Mailbox(work, "test", capacity=2, skips=True, dropped=dropped.append)
    mailbox.put(0)
    assert work.taken.acquire(timeout=TIMEOUT_S)
    for number in range(1, 10, 2):  # two items arrive while one is processed
        mailbox.put(number)
        mailbox.put(number + 1)
        work.step()
    work.allowed.release()
    mailbox.close()
    assert work.items == [0, 1, 4, 6, 8, 10], "the queue is full for the first time when 4 arrives"
    assert dropped == [2, 3, 5, 7, 9]
    assert mailbox.replaced == len(dropped)


def test_items_that_find_room_are_all_processed_after_a_delay() -> None:
    work, dropped = StepWork(), list[int]()
    mailbox = Mailbox(work, "test", capacity=2, skips=True, dropped=dropped.append)
    mailbox.put(0)
    assert work.taken.acquire(timeout=TIMEOUT_S)
    for number in range(1, 4):  # one more than finds room
        mailbox.put(number)
    work.step()
    assert (work.items, dropped) == ([0, 3], [1, 2])
    work.allowed.release()
    assert waits(mailbox)
    for number in range(4, 7):  # the worker has waited: the next delay costs nothing
        mailbox.put(number)
        if number == 4:
            assert work.taken.acquire(timeout=TIMEOUT_S)
    work.step()
    work.step()
    work.allowed.release()
    mailbox.close()
    assert (work.items, dropped) == ([0, 3, 4, 5, 6], [1, 2])


def test_a_mailbox_of_messages_that_all_matter_skips_none_that_finds_room() -> None:
    work, dropped = StepWork(), list[int]()
    mailbox = Mailbox(work, "test", capacity=2, dropped=dropped.append)
    mailbox.put(0)
    assert work.taken.acquire(timeout=TIMEOUT_S)
    for number in range(1, 4):
        mailbox.put(number)
    work.step()
    work.step()
    work.allowed.release()
    mailbox.close()
    assert (work.items, dropped) == ([0, 2, 3], [1])


def waits(mailbox: Mailbox[int]) -> bool:
    """Return whether the worker of a mailbox without items waits for one in time."""
    end_s = time.monotonic() + TIMEOUT_S
    while mailbox.overloaded and time.monotonic() < end_s:
        time.sleep(0.001)
    return not mailbox.overloaded
