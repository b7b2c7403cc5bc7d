"""`rehab-pose-lab fuzz`: damaged and hostile inputs for every reader of files and every converter of messages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

SECONDS = 60.0
EXIT_FINDINGS = 1
DESCRIPTION = """Give damaged and hostile inputs to every reader of files and every converter of messages.

Each input must give a plausible value or one of this project's errors. Findings are other errors (tracebacks), more
than 5 s (hangs), more than 500 MB (memory), and values that cannot be (nonsense): they make the exit code 1. The same
seed, targets and number of inputs give the same inputs."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("fuzz", help="give hostile inputs to every reader", description=DESCRIPTION)
    parser.add_argument("--seconds", type=float, help=f"stop after this time [s] (default {SECONDS:g})")
    parser.add_argument("--inputs", type=int, help="number of inputs, instead of a time")
    parser.add_argument("--seed", type=int, default=0, help="seed of the inputs (default: %(default)s)")
    parser.add_argument(
        "--target", action="append", default=[], metavar="TEXT", help="only targets with this in the name"
    )
    parser.add_argument("--details", action="store_true", help="print the whole description of each kind of finding")
    parser.add_argument("--json", action="store_true", help="print the sums as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the fuzzer; return 1 if it found anything.

    Raises:
        SettingsError: No target has that name.
    """
    from rehab_pose.errors import SettingsError  # noqa: PLC0415  (loaded only when this command runs)
    from rehab_pose_lab.benchmarks.output import metrics_json  # noqa: PLC0415
    from rehab_pose_lab.fuzzing.runner import fuzz, fuzz_metrics, fuzz_table  # noqa: PLC0415

    seconds = SECONDS if arguments.seconds is None and arguments.inputs is None else arguments.seconds
    results = fuzz(
        inputs=arguments.inputs,
        seconds=seconds,
        first_seed=arguments.seed,
        names=arguments.target,
        log=lambda line: print(line, file=sys.stderr, flush=True),
    )
    if not results:
        msg = f"expected a part of the name of a target, got {', '.join(arguments.target)}"
        raise SettingsError(msg)
    if arguments.details:
        for result in results:
            for key, (_, text) in result.examples.items():
                print(f"{result.name}: {key}\n{text}", file=sys.stderr)
    metrics = fuzz_metrics(results)
    print(metrics_json(metrics) if arguments.json else "\n".join(fuzz_table(results)))
    return EXIT_FINDINGS if sum(metrics.values()) > metrics["fuzz_inputs"] else 0
