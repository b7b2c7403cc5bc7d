"""The exercises that are known: those shipped with the product, and the user's own."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import InputError
from rehab_pose.exercise.definition import ExerciseDefinition, read_definition

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["SHIPPED_FOLDER", "ExerciseLibrary", "shipped_library", "user_folder"]

SHIPPED_FOLDER = Path(__file__).parent / "library"
"""Folder of the shipped exercises, one YAML file each."""
MAX_FILES = 500
"""Largest number of exercises in one folder; chosen by hand."""


def user_folder() -> Path:
    """Return the default folder of the user's exercises: `$XDG_DATA_HOME/rehab_pose/exercises`."""
    data = os.environ.get("XDG_DATA_HOME", "")
    # The base directory specification has relative paths ignored.
    base = Path(data) if data and Path(data).is_absolute() else Path.home() / ".local" / "share"
    return base / "rehab_pose" / "exercises"


class ExerciseLibrary:
    """Definitions by name."""

    def __init__(self, definitions: Iterable[ExerciseDefinition]) -> None:
        """Keep the definitions in their order; a later one replaces an earlier one of the same name."""
        self._definitions = {definition.name: definition for definition in definitions}

    @classmethod
    def load(cls, folder: str | Path | None = None) -> ExerciseLibrary:
        """Return the shipped exercises and the user's, sorted by name; the user's replace shipped ones of their name.

        Args:
            folder: The user's folder; empty or None = the default, `user_folder()`, which need not exist.

        Raises:
            InputError: A folder that was named does not exist, or a file in it is wrong.
        """
        if folder and not Path(folder).is_dir():
            msg = f"exercise.library_path: expected a folder, found none at {folder}; create it or correct the path"
            raise InputError(msg)
        own = read_folder(Path(folder) if folder else user_folder())
        return cls(sorted((*shipped_library().definitions, *own), key=lambda definition: definition.name))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all exercises, in order."""
        return tuple(self._definitions)

    @property
    def definitions(self) -> tuple[ExerciseDefinition, ...]:
        """All exercises, in order."""
        return tuple(self._definitions.values())

    def definition(self, name: str) -> ExerciseDefinition:
        """Return the definition of an exercise.

        Raises:
            InputError: There is none of this name.
        """
        definition = self._definitions.get(name)
        if definition is None:
            msg = f"exercise {name!r}: expected one of {', '.join(self.names)}; add it with `rehab-pose exercise add`"
            raise InputError(msg)
        return definition


def read_folder(folder: Path) -> tuple[ExerciseDefinition, ...]:
    """Return the exercises in the YAML files of a folder, by name; none where there is no folder.

    Raises:
        InputError: A file is wrong, or there are too many.
    """
    files = sorted(folder.glob("*.yaml"))
    if len(files) > MAX_FILES:
        msg = f"exercises in {folder}: expected at most {MAX_FILES} files, got {len(files)}; move some away"
        raise InputError(msg)
    return tuple(read_definition(file) for file in files)


@cache
def shipped_library() -> ExerciseLibrary:
    """Return the exercises that are shipped with the product."""
    return ExerciseLibrary(read_folder(SHIPPED_FOLDER))
