"""`rehab-pose session start`, `stop` and `status`: sessions of a running graph, by its services."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.datatypes import Side
from rehab_pose.errors import InputError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from rehab_pose.ros.adapters.session_client import SessionClient
    from rehab_pose.session.request import SessionReport

__all__ = ["ACTIONS", "add_actions"]

EXIT_NO_SESSION = 1
"""Exit code of `stop` and `status` where no session is running."""
RECORDINGS = ("nothing", "results", "mesh", "images")


def add_actions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parsers of the three actions."""
    start = actions.add_parser(
        "start",
        help="start a session of the running graph",
        description="Starts a session of the running graph (`rehab-pose run`); one that is running is ended first.",
    )
    start.add_argument("person", metavar="CODE", help="code of the person, for example P01; not a name")
    start.add_argument("--exercise", default="", metavar="NAME", help="exercise to count (default: any)")
    start.add_argument(
        "--repetitions", type=int, default=0, metavar="N", help="end after N repetitions (default: at `session stop`)"
    )
    start.add_argument(
        "--side",
        choices=[side.name.lower() for side in Side],
        default="any",
        help="count only repetitions of this side (default: %(default)s)",
    )
    start.add_argument(
        "--recording",
        choices=RECORDINGS,
        default="results",
        help="what is recorded; with images the person can be recognised (default: %(default)s)",
    )
    start.add_argument("--wait", action="store_true", help="print the count until the session has ended")
    stop = actions.add_parser("stop", help="end the running session", description=f"Exit code {EXIT_NO_SESSION}: none.")
    status = actions.add_parser(
        "status", help="print the running session", description=f"Exit code {EXIT_NO_SESSION}: none is running."
    )
    for action in (start, stop, status):
        action.add_argument("--namespace", default="", help="namespace of the robot, as of `rehab-pose run`")


def _connect(args: argparse.Namespace) -> SessionClient:
    """Return a client of the running graph."""
    from rehab_pose.launching.shared_memory import use_shared_memory  # noqa: PLC0415  (loaded only when it runs)

    problem = use_shared_memory(os.environ)  # before ROS is loaded, which reads the environment
    if problem:
        print(f"session: {problem}", file=sys.stderr)
    from rehab_pose.ros.adapters.session_client import SessionClient  # noqa: PLC0415

    return SessionClient(args.namespace)


def _start(args: argparse.Namespace) -> int:
    from rehab_pose.session.request import SessionRequest  # noqa: PLC0415
    from rehab_pose.session.state import Recording, check_code  # noqa: PLC0415

    check_code("session start", args.person)
    if args.repetitions < 0:
        msg = f"--repetitions: expected 0 (no target) or more, got {args.repetitions}"
        raise InputError(msg)
    with _connect(args) as client:
        exercise = _exercise(client, args.exercise) if args.exercise else ""
        side = _side(Side[args.side.upper()], exercise)
        before = client.state()
        request = SessionRequest(args.person, exercise, args.repetitions, side, Recording[args.recording.upper()])
        started = client.start(request)
        if before.running:
            print(f"ended {before.folder_name}: {before.sentence}")
        _print_start(args, side, started)
        if args.wait:
            for state in client.changes():
                print(state.sentence if state.running else f"ended: {state.sentence} ({state.message})", flush=True)
    return 0


def _print_start(args: argparse.Namespace, side: Side, started: SessionReport) -> None:
    for_side = f", {args.side} side{'s' if args.side == 'both' else ''}" if side is not Side.ANY else ""
    print(f"started {started.folder_name}: {started.sentence}{for_side}; recording {args.recording}")
    if args.wait:
        print("`rehab-pose session stop` ends it; Ctrl-C here leaves it running", flush=True)
    else:
        print("next: `rehab-pose session status` shows the count, `rehab-pose session stop` ends it")


def _exercise(client: SessionClient, given: str) -> str:
    """Return the label of an exercise; a recogniser that is still starting is waited for before a name is refused."""
    from rehab_pose.session.request import find_exercise  # noqa: PLC0415

    try:
        return find_exercise(given, client.exercises())
    except InputError:
        if client.recogniser_known:
            raise
    return find_exercise(given, client.exercises(wait=True))


def _side(given: Side, exercise: str) -> Side:
    """Return the side to count; every repetition of an exercise that both sides do together has both."""
    from rehab_pose.exercise.exercise_library import shipped_library  # noqa: PLC0415

    library = shipped_library()
    together = exercise in library.names and library.definition(exercise).sides == "both"
    if together and given in {Side.LEFT, Side.RIGHT}:
        msg = f"--side {given.name.lower()}: both sides do {exercise} together; leave --side out"
        raise InputError(msg)
    return Side.ANY if together else given


def _stop(args: argparse.Namespace) -> int:
    with _connect(args) as client:
        stopped = client.stop()
    if stopped is None:
        print("no session is running")
        return EXIT_NO_SESSION
    of = f" of {stopped.target}" if stopped.target else ""
    print(f"ended {stopped.folder_name}: {stopped.repetitions}{of} repetitions counted")
    page = str(Path(stopped.report_path).with_suffix(".html")) if stopped.report_path else ""
    for what, path in (("report", page), ("recording", stopped.recording_path)):
        if path:
            print(f"{what}: {path}")
    print(f"next: `rehab-pose session report {stopped.folder_name} --pdf`")
    return 0


def _status(args: argparse.Namespace) -> int:
    with _connect(args) as client:
        state = client.state()
    if state.running:
        print(f"{state.folder_name} is running: {state.sentence}; recording {state.recording.name.lower()}")
        return 0
    print(f"no session is running; {_last(state)}")
    return EXIT_NO_SESSION


def _last(state: SessionReport) -> str:
    if not state.folder_name:
        return "there was none since the graph was started"
    return f"the last one was {state.folder_name}: {state.sentence} ({state.message})"


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"start": _start, "stop": _stop, "status": _status}
"""The three actions by name."""
