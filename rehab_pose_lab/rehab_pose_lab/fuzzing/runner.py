"""Runs targets in a separate process, so that a crash of native code or an endless loop in it is a finding too."""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

from rehab_pose_lab.fuzzing.all_targets import TARGETS
from rehab_pose_lab.fuzzing.outcomes import Outcome, observe
from rehab_pose_lab.fuzzing.targets import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from rehab_pose_lab.fuzzing.targets import Prepared, Target

__all__ = ["FuzzResult", "fuzz", "fuzz_metrics", "fuzz_table", "shares"]

BATCH, TIMED_BATCH = 250, 25
"""Inputs of a target in a row where their number is given, and where the time is given."""
MINIMUM = 500
"""Inputs of each target where there are enough for all."""
SLOW_DIVISOR = 10
"""Where the time is given, a slow target has this fraction of the inputs of another one."""
TURNS = 1_000_000
"""Difference of the seeds of the batches of two runs: seeds that follow each other share no batch."""
STUCK_S = 60.0
"""A worker that works on one input for longer is stopped [s]; Python code is interrupted long before."""
MAX_ADDRESS_SPACE = 12 * 10**9
"""Limit of a worker's address space, which protects the machine [bytes]."""
FINDINGS = (Outcome.TRACEBACK, Outcome.HANG, Outcome.MEMORY, Outcome.NONSENSE)
KEPT_EXAMPLES = 3
"""Findings of a target that are described."""
POLL_S = 0.5


@dataclass
class FuzzResult:
    """Result of one target."""

    name: str
    counts: Counter[Outcome] = field(default_factory=Counter)
    examples: dict[str, tuple[Outcome, str]] = field(default_factory=dict)
    """Description of findings by their last line, each once."""

    elapsed_s: float = 0.0
    """Time of all inputs, with that of making them [s]."""

    @property
    def inputs(self) -> int:
        """Number of inputs."""
        return sum(self.counts.values())

    def add(self, outcome: Outcome, text: str) -> None:
        """Count an outcome, and keep the description of a finding of a new kind."""
        self.counts[outcome] += 1
        if outcome in FINDINGS:
            lines = text.strip().splitlines() or [""]
            frames = [line.strip() for line in lines if line.strip().startswith("File")]
            key = f"{outcome.value}: {(frames or lines)[-1]}"
            self.examples.setdefault(key, (outcome, text))


def fuzz(
    *, inputs: int | None, seconds: float | None, first_seed: int, names: Sequence[str] = (), log: Callable[[str], None]
) -> list[FuzzResult]:
    """Fuzz targets in turn; return their results.

    Args:
        inputs: Number of inputs in all; None = as many as `seconds` allow.
        seconds: Stop after this time [s]; None = no limit.
        first_seed: Seed; the same seed, targets and number of inputs give the same inputs.
        names: Targets whose names contain one of these; empty = all.
        log: Called with a line about each finding of a new kind.
    """
    targets = [target for target in TARGETS if not names or any(name in target.name for name in names)]
    results = {target.name: FuzzResult(target.name) for target in targets}
    ends = None if seconds is None else time.monotonic() + seconds
    left = {} if inputs is None else shares(targets, inputs)
    with TemporaryDirectory(prefix="rehab_pose_fuzz_") as folder:
        worker = _Worker(Path(folder))
        try:
            for turn in count():
                sizes = {target.name: left.get(target.name, _timed_size(target)) for target in targets}
                if not any(sizes.values()):
                    break
                for name, size in sizes.items():
                    if ends is not None and time.monotonic() >= ends:
                        return list(results.values())
                    batch = min(size, BATCH)
                    if batch:
                        _run_batch(worker, name, batch, first_seed * TURNS + turn, results[name], log)
                    if name in left:
                        left[name] -= batch
        finally:
            worker.stop()
    return list(results.values())


def shares(targets: Sequence[Target], inputs: int) -> dict[str, int]:
    """Return how many inputs each target has, by name.

    Each has the same minimum, at most `MINIMUM`; the rest goes to targets whose inputs take little time.

    Args:
        targets: The targets.
        inputs: Number of inputs of all.
    """
    if not targets:
        return {}
    minimum = min(MINIMUM, inputs // len(targets))
    rest, weights = inputs - minimum * len(targets), sum(target.pace.value for target in targets)
    shared = {target.name: minimum + rest * target.pace.value // max(weights, 1) for target in targets}
    missing = inputs - sum(shared.values())
    for number, name in enumerate(sorted(shared, key=lambda name: -shared[name])):
        shared[name] += missing // len(shared) + (number < missing % len(shared))
    return shared


def _timed_size(target: Target) -> int:
    return max(1, TIMED_BATCH // SLOW_DIVISOR) if target.pace is Pace.SLOW else TIMED_BATCH


def _run_batch(
    worker: _Worker, name: str, size: int, seed_number: int, result: FuzzResult, log: Callable[[str], None]
) -> None:
    before, started = set(result.examples), time.monotonic()
    worker.run(name, size, seed_number, result)
    result.elapsed_s += time.monotonic() - started
    for key in result.examples.keys() - before:
        log(f"{name}: {key}")


class _Worker:
    """A process that runs batches; it is started again after a crash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._context = multiprocessing.get_context("spawn")
        self._began = self._context.Value("d", 0.0)
        self._process: Any = None

    def run(self, name: str, size: int, number: int, result: FuzzResult) -> None:
        """Run a batch of a target."""
        if self._process is None:
            self._connection, other = self._context.Pipe()
            self._process = self._context.Process(
                target=_serve, args=(other, self._began, str(self._folder)), daemon=True
            )
            self._process.start()
            other.close()
        self._began.value = time.monotonic()
        self._connection.send((name, size, number))
        while True:
            try:
                if self._connection.poll(POLL_S):
                    received = self._connection.recv()
                    if isinstance(received, str):
                        msg = f"the strategy of {name} failed, seed {number}:\n{received}"
                        raise RuntimeError(msg)
                    for outcome, text, times in received:
                        result.add(outcome, text)
                        result.counts[outcome] += times - 1
                    return
            except (EOFError, ConnectionResetError):
                result.add(Outcome.TRACEBACK, f"the process ended, exit code {self._exit_code()}; seed {number}")
                return
            if time.monotonic() - self._began.value > STUCK_S:
                self.stop()
                result.add(Outcome.HANG, f"native code ran for more than {STUCK_S:g} s; seed {number}")
                return

    def _exit_code(self) -> int | None:
        self._process.join(POLL_S)
        code: int | None = self._process.exitcode
        self.stop()
        return code

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None


def _serve(connection: Connection, began: Any, folder: str) -> None:  # noqa: ANN401  (a shared number)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # native decoders write about each damaged image
    resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))
    prepared: dict[str, Prepared] = {}
    while True:
        try:
            name, size, number = connection.recv()
        except EOFError:
            return
        if name not in prepared:
            place = Path(folder, f"{os.getpid()}_{len(prepared)}")
            place.mkdir()
            prepared[name] = next(target for target in TARGETS if target.name == name).prepare(place)
        try:
            connection.send(list(_batch(prepared[name], size, number, began)))
        except Exception:  # noqa: BLE001  (an error of a strategy, which the parent reports)
            connection.send(traceback.format_exc())


def _batch(
    target: Prepared,
    size: int,
    number: int,
    began: Any,  # noqa: ANN401
) -> Iterator[tuple[Outcome, str, int]]:
    """Yield each outcome of a batch with its description and its number; that of plain outcomes is summed up."""
    found: list[tuple[Outcome, str]] = []

    @seed(number)
    @settings(
        max_examples=size,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(target.inputs)
    def one(value: Any) -> None:  # noqa: ANN401
        began.value = time.monotonic()
        found.append(observe(lambda: target.read(value)))

    one()
    plain = Counter(outcome for outcome, _ in found if outcome not in FINDINGS)
    yield from ((outcome, "", times) for outcome, times in plain.items())
    yield from ((outcome, text, 1) for outcome, text in found if outcome in FINDINGS)


def fuzz_metrics(results: Sequence[FuzzResult]) -> dict[str, float]:
    """Return the sums over all targets."""
    total: Counter[Outcome] = sum((result.counts for result in results), Counter())
    return {
        "fuzz_inputs": float(sum(total.values())),
        "fuzz_tracebacks": float(total[Outcome.TRACEBACK]),
        "fuzz_hangs": float(total[Outcome.HANG]),
        "fuzz_memory": float(total[Outcome.MEMORY]),
        "fuzz_nonsense": float(total[Outcome.NONSENSE]),
    }


def fuzz_table(results: Sequence[FuzzResult]) -> list[str]:
    """Return one line a target."""
    width = max((len(result.name) for result in results), default=0)
    titles = " ".join(f"{outcome.value:>9s}" for outcome in Outcome)
    lines = [f"{'target':{width}s} {'inputs':>8s} {titles} {'time [s]':>9s}"]
    for result in results:
        counts = " ".join(f"{result.counts[outcome]:9d}" for outcome in Outcome)
        lines.append(f"{result.name:{width}s} {result.inputs:8d} {counts} {result.elapsed_s:9.1f}")
    return lines
