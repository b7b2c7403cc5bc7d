"""The part of `rehab-pose process` that works on many recordings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rehab_pose.cli.camera_options import camera_of
from rehab_pose.cli.exit_codes import EXIT_PARTLY
from rehab_pose.errors import RecordingError, SettingsError
from rehab_pose.session.audit import audit_reading

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from rehab_pose.batch.batch import Batch
    from rehab_pose.batch.executors import Executor
    from rehab_pose.pipeline import PipelineSettings

__all__ = ["add_batch_arguments", "is_batch", "prepare_batch", "run_batch"]

SHOWN_PROBLEMS = 10
"""Recordings whose problem is printed; all are in the table."""


def add_batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a batch."""
    batch = parser.add_argument_group("many recordings: several bags, or folders with bags")
    batch.add_argument("--jobs", type=int, metavar="N", help="recordings at a time (default: number of cores)")
    batch.add_argument("--address", metavar="HOST:PORT", help="Ray cluster to use; default: processes of this machine")


def is_batch(arguments: argparse.Namespace) -> bool:
    """Return whether the arguments name many recordings."""
    from rehab_pose.batch.recordings import find_bags, is_bag  # noqa: PLC0415

    paths: Sequence[Path] = arguments.recording
    chosen = arguments.jobs is not None or arguments.address is not None or len(paths) > 1
    return chosen or (len(paths) == 1 and paths[0].is_dir() and not is_bag(paths[0]) and any(find_bags(paths[0])))


def prepare_batch(arguments: argparse.Namespace) -> None:
    """Start what processes the recordings, before the settings of the stages and much else are loaded here.

    Raises:
        SettingsError: The number of jobs is not positive.
    """
    from rehab_pose.batch.executors import start_fork_server  # noqa: PLC0415

    if _jobs(arguments) > 1 and arguments.address is None:
        start_fork_server()


def run_batch(arguments: argparse.Namespace, settings: PipelineSettings) -> int:
    """Process the recordings; return 3 if some were partly or not processed.

    Raises:
        RecordingError: There are no recordings, none could be used, or the output cannot be written.
        SettingsError: The number of jobs is not positive.
        MissingDependencyError: pandas or Ray is not installed.
    """
    from tqdm import tqdm  # noqa: PLC0415  (loaded only when this command runs)

    from rehab_pose.batch.batch import Batch, locked_output  # noqa: PLC0415
    from rehab_pose.batch.recordings import find_recordings  # noqa: PLC0415
    from rehab_pose.batch.worker import BatchSettings  # noqa: PLC0415
    from rehab_pose.optional_packages import optional_package  # noqa: PLC0415

    optional_package("pandas", "batch")
    optional_package("pyarrow", "batch")
    recordings, executor = find_recordings(arguments.recording), _executor(arguments)
    for path in recordings.values():
        audit_reading(path, arguments.command)
    with locked_output(arguments.output):
        batch = Batch(recordings, arguments.output, BatchSettings(settings, *camera_of(arguments)))
        if batch.resumed:
            print(f"{batch.resumed} recordings have results already, {len(batch.tasks)} are left")
        with tqdm(total=len(batch.tasks), unit="recording", disable=None) as bar:
            for facts in batch.run(executor):
                bar.update()
                bar.set_postfix_str(f"{facts['name']}: {facts['status']}")
        paths = batch.write_tables()
    return _print_outcome(batch, paths)


def _jobs(arguments: argparse.Namespace) -> int:
    jobs: int = len(os.sched_getaffinity(0)) if arguments.jobs is None else arguments.jobs
    if jobs < 1:
        msg = f"--jobs: expected at least 1, got {jobs}"
        raise SettingsError(msg)
    return jobs


def _executor(arguments: argparse.Namespace) -> Executor:
    from rehab_pose.batch.executors import InProcess, LocalProcesses, RayCluster  # noqa: PLC0415

    jobs = _jobs(arguments)
    if arguments.address is not None:
        return RayCluster(arguments.address, jobs)
    return InProcess() if jobs == 1 else LocalProcesses(jobs)


def _print_outcome(batch: Batch, paths: Sequence[Path]) -> int:
    facts: list[dict[str, Any]] = [batch.rows[name]["recording"] for name in sorted(batch.rows)]
    by_status = {
        status: [entry for entry in facts if entry["status"] == status] for status in ("done", "partly", "failed")
    }
    frames, present = (sum(entry[key] for entry in facts) for key in ("frames", "frames_with_person"))
    problems = by_status["failed"] + by_status["partly"]
    for entry in problems[:SHOWN_PROBLEMS]:
        print(f"{entry['name']}: {entry['status']}: {entry['problem']}")
    if len(problems) > SHOWN_PROBLEMS:
        print(f"and {len(problems) - SHOWN_PROBLEMS} more")
    counts = ", ".join(f"{len(found)} {status}" for status, found in by_status.items())
    print(f"{len(facts)} recordings: {counts}; {frames} frames, a person in {present}")
    print("\n".join(str(path) for path in paths))
    if facts and len(by_status["failed"]) == len(facts):
        msg = "no recording could be used; the reasons are in the table"
        raise RecordingError(msg)
    return EXIT_PARTLY if problems else 0
