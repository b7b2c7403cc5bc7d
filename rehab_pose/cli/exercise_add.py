"""`rehab-pose exercise add NAME --bags DIR`: learn an exercise from a few recordings, without training."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.cli.exercise_list import add_folder_option
from rehab_pose.errors import InputError
from rehab_pose.session.audit import audit_reading

if TYPE_CHECKING:
    import argparse

    from rehab_pose.exercise.definition import ExerciseDefinition
    from rehab_pose.exercise.few_shot_fit import Recording
    from rehab_pose.exercise.few_shot_signal import FoundSignal

__all__ = ["add_parser", "run"]

NAME = re.compile(r"[a-z][a-z0-9_]{1,48}")
LONGEST_HOLD_S, SHORTEST_S, LONGEST_S = 10.0, 0.45, 20.0
"""Hold and limits of a repetition in a new definition [s], as those of the shipped exercises; to be edited."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `add`."""
    parser = subparsers.add_parser(
        "add",
        help="learn an exercise from 2 to 10 recordings of it",
        description="Learn an exercise from a few recordings of one to three people, without training a network. "
        "Recordings are bags with joints or with images, or .npz files with stamps_ns (T) and positions_m (T, 24, 3). "
        "A folder in DIR holds the recordings of one person; else the name of a recording begins with the person's, "
        "before an underscore.",
    )
    parser.add_argument("name", metavar="NAME", help="label, in lower case with underscores")
    parser.add_argument("--bags", type=Path, required=True, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--title", help="name in plain words (default: from NAME)")
    parser.add_argument("--posture", default="standing", help="posture in which it is done (default: %(default)s)")
    parser.add_argument(
        "--one-side", action="store_true", help="the mirrored movement is another exercise, not this one"
    )
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="picture of the signal (default: NAME.png beside the definition)"
    )
    parser.add_argument("--replace", action="store_true", help="replace an exercise of this name that was added before")
    add_folder_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Learn the exercise, write its files, and print the figures of the recordings that are left out.

    Raises:
        InputError: The name is in use, or the recordings do not show a movement.
        ModelFileError: The network has no embedding, or an exercise that was added before is damaged.
        RecordingError: A recording cannot be read.
    """
    import cv2  # noqa: PLC0415  (loaded only when this command runs)

    from rehab_pose.cli.exercise_recordings import find_recordings, read_recording  # noqa: PLC0415
    from rehab_pose.exercise.definition import definition_text, read_definition  # noqa: PLC0415
    from rehab_pose.exercise.exercise_library import shipped_library, user_folder  # noqa: PLC0415
    from rehab_pose.exercise.few_shot import load_added  # noqa: PLC0415
    from rehab_pose.exercise.few_shot_fit import learn, leave_one_out  # noqa: PLC0415
    from rehab_pose.exercise.few_shot_signal import find_signal, signal_picture  # noqa: PLC0415
    from rehab_pose.exercise.window_classifier import WindowClassifier  # noqa: PLC0415

    name, folder = arguments.name, Path(arguments.library or user_folder())
    classifier = WindowClassifier(folder=folder)
    definition_path = folder / f"{name}.yaml"
    files = (folder / f"{name}.npz", definition_path)
    _check_name(name, classifier.trained_labels, files, replace=arguments.replace)
    found_recordings = find_recordings(arguments.bags)
    for _, path in found_recordings:
        audit_reading(path, arguments.command)
    recordings = [read_recording(person, path) for person, path in found_recordings]
    exercise = learn(name, recordings, classifier, mirror=not arguments.one_side)
    others = [load_added(path) for path in sorted(folder.glob("*.npz")) if path.stem != name]
    figures = leave_one_out(exercise, others, classifier)
    folder.mkdir(parents=True, exist_ok=True)
    if name in shipped_library().names:
        print(f"definition: shipped with the product (rehab-pose exercise show {name})")
    else:
        found = find_signal(recordings, arguments.posture)
        definition = _definition(arguments, found, recordings)
        definition_path.write_text(definition_text(definition), encoding="utf-8")
        read_definition(definition_path)
        picture = arguments.picture or folder / f"{name}.png"
        if not cv2.imwrite(str(picture), signal_picture(found, recordings)):
            msg = f"--picture: expected a path that can be written, got {picture}"
            raise InputError(msg)
        print(f"signal: {found.signal.name} = {found.signal.expression}, repetitions go {_way(found)}; see {picture}")
        print(f"definition: {definition_path}; edit it where it is wrong")
    exercise.save(folder / f"{name}.npz")
    people = len({recording.person for recording in recordings})
    print(f"learnt {name} from {len(recordings)} recordings of {people} people: {folder / f'{name}.npz'}")
    print(
        f"with each {figures.by} left out: {figures.right} of {figures.recordings} recordings recognised, "
        f"{figures.windows_pct:.1f} % of the windows"
    )
    return 0


def _check_name(name: str, trained: tuple[str, ...], files: tuple[Path, ...], *, replace: bool) -> None:
    """Raise InputError where a name cannot be used."""
    if not NAME.fullmatch(name) or name in trained:
        msg = (
            f"expected a new name in lower case with underscores, got {name!r}; the network knows {', '.join(trained)}"
        )
        raise InputError(msg)
    existing = [str(file) for file in files if file.exists()]
    if existing and not replace:
        advice = f"use --replace, or rehab-pose exercise remove {name}"
        msg = f"exercise {name}: expected a new name, {existing[0]} exists; {advice}"
        raise InputError(msg)


def _way(found: FoundSignal) -> str:
    return "from side to side" if found.sides == "alternating" else "from rest to a maximum and back"


def _definition(arguments: argparse.Namespace, found: FoundSignal, recordings: list[Recording]) -> ExerciseDefinition:
    """Return a definition that a person may edit."""
    from rehab_pose.exercise.definition import POSTURES, ExerciseDefinition  # noqa: PLC0415

    if arguments.posture not in POSTURES:
        msg = f"--posture: expected one of {', '.join(POSTURES)}, got {arguments.posture}"
        raise InputError(msg)
    title = arguments.title or arguments.name.replace("_", " ").capitalize()
    longest_s = LONGEST_S if not np.isfinite(found.period_s) else max(LONGEST_S, 3.0 * found.period_s)
    people = len({recording.person for recording in recordings})
    return ExerciseDefinition(
        name=arguments.name,
        title=title,
        description=f"{title}, as recorded. Describe the movement of one repetition here.",
        posture=arguments.posture,
        signal=found.signal,
        sides=found.sides,
        hold_s=LONGEST_HOLD_S,
        repetition_s=(SHORTEST_S, round(min(longest_s, 120.0), 1)),
        good="Describe the signs of a good repetition here.",
        source=f"Added from {len(recordings)} recordings of {people} people.",
    )
