"""Processes that work on the recordings of a batch: of this machine, or of a Ray cluster.

On one machine the processes are Python's own and open no port. Ray's servers listen on every address of the machine, so
a cluster is used only when its address is given.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import os
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Protocol

from rehab_pose.batch.worker import failed_row, prepare_worker, process_task
from rehab_pose.optional_packages import optional_package

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rehab_pose.batch.worker import Task

__all__ = ["Executor", "InProcess", "LocalProcesses", "RayCluster", "start_fork_server"]

ENDED = "the process that worked on it ended unexpectedly, twice"
MAX_TRIES = 2
"""A recording whose process ended is tried again: another one may have used up the memory."""
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Read by numerical libraries when they are loaded: one thread a process, as many processes as cores."""

PRELOADED = [
    "pandas",
    "rehab_pose.bags.reader",
    "rehab_pose.batch.worker",
    "rehab_pose.pipeline",
    "rehab_pose.recording.recording",
]
"""Modules that the process loads from which the workers are forked; one that is missing is left out."""


def start_fork_server() -> None:
    """Start the process that workers of this machine are forked from; it loads their modules while this one goes on."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    multiprocessing.get_context("forkserver").set_forkserver_preload(PRELOADED)
    multiprocessing.forkserver.ensure_running()


class Executor(Protocol):
    """Runs tasks in some processes."""

    def rows(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
        """Yield the row of each task as soon as it is done, in any order."""


class InProcess:
    """Runs tasks one after the other in this process."""

    def rows(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:  # noqa: D102  (as the protocol)
        for task in tasks:
            yield process_task(task)


class LocalProcesses:
    """Runs tasks in processes of this machine."""

    def __init__(self, jobs: int) -> None:
        """Set the number of processes."""
        self._jobs = jobs

    def rows(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:  # noqa: D102  (as the protocol)
        waiting, crashed = list(tasks), set[str]()
        suspects: list[Task] = []
        while waiting or suspects:
            # When a process ends, the pool does not say which one: those that ran are tried again, each alone.
            source, jobs = (suspects, 1) if suspects else (waiting, self._jobs)
            pool, finished = self._pool(jobs), False
            running: dict[Future[dict[str, Any]], Task] = {}
            try:
                while source or running:
                    while source and len(running) < jobs:
                        task = source.pop(0)
                        running[pool.submit(process_task, task)] = task
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
                        del running[future]
                finished = True
            except BrokenProcessPool:
                for task in running.values():
                    if jobs == 1 and task.name in crashed:
                        yield failed_row(task, ENDED)
                    else:
                        suspects.append(task)
                    crashed.add(task.name)
            finally:
                if not finished:
                    _kill(pool)
                pool.shutdown()

    @staticmethod
    def _pool(jobs: int) -> ProcessPoolExecutor:
        start_fork_server()
        context = multiprocessing.get_context("forkserver")
        return ProcessPoolExecutor(jobs, mp_context=context, initializer=prepare_worker)


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool at once, also in the middle of a recording."""
    processes = list((pool._processes or {}).values())  # noqa: SLF001  (Python 3.14 has kill_workers)
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()


class RayCluster:
    """Runs tasks on a Ray cluster, which must see the recordings and the output at the same paths."""

    def __init__(self, address: str, jobs: int) -> None:
        """Connect to a cluster.

        Args:
            address: Of the cluster, as `ray.init` takes it.
            jobs: Number of recordings at a time.

        Raises:
            MissingDependencyError: Ray is not installed.
        """
        self._ray, self._address, self._jobs = optional_package("ray", "batch"), address, jobs

    def rows(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:  # noqa: D102  (as the protocol)
        ray = self._ray
        environment = {"env_vars": dict.fromkeys(ONE_THREAD, "1") | {"RAY_USAGE_STATS_ENABLED": "0"}}
        ray.init(address=self._address, log_to_driver=False, runtime_env=environment, logging_level="ERROR")
        try:
            process = ray.remote(num_cpus=1, max_retries=MAX_TRIES - 1)(process_task)
            waiting = list(tasks)
            running: dict[Any, Task] = {}
            while waiting or running:
                while waiting and len(running) < self._jobs:
                    task = waiting.pop(0)
                    running[process.remote(task)] = task
                done, _ = ray.wait(list(running))
                for reference in done:
                    task = running.pop(reference)
                    try:
                        yield ray.get(reference)
                    except ray.exceptions.WorkerCrashedError:
                        yield failed_row(task, ENDED)
        finally:
            ray.shutdown()
