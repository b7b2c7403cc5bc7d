"""The outcome of one input, for readers with each kind of fault."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import InputError
from rehab_pose_lab.fuzzing import outcomes
from rehab_pose_lab.fuzzing.outcomes import Outcome, observe

if TYPE_CHECKING:
    from collections.abc import Callable


def refuse() -> str:
    msg = "no"
    raise InputError(msg)


def fail() -> str:
    raise KeyError


def fill() -> str:
    return "" if np.ones(80_000_000).sum() else "x"


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda: "", Outcome.ACCEPTED),
        (lambda: "body 1700 m high", Outcome.NONSENSE),
        (refuse, Outcome.REFUSED),
        (fail, Outcome.TRACEBACK),
        (fill, Outcome.MEMORY),
    ],
)
def test_each_fault_has_its_outcome(read: Callable[[], str], expected: Outcome) -> None:
    assert observe(read)[0] is expected


def test_a_reader_that_does_not_end_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MAX_WALL_SECONDS", 0.2)

    def wait() -> str:
        while True:
            time.sleep(0.01)

    assert observe(wait)[0] is Outcome.HANG


def test_a_reader_that_computes_without_end_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MAX_SECONDS", 0.2)

    def compute() -> str:
        while True:
            pass

    assert observe(compute)[0] is Outcome.HANG
    monkeypatch.setattr(outcomes, "MAX_SECONDS", 1.0)

    def wait() -> str:
        time.sleep(1.2)
        return ""

    assert observe(wait)[0] is Outcome.ACCEPTED
