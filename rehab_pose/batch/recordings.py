"""The recordings below some folders, and the name of each in the output."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.bags.bag_files import BAG_ENDINGS
from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["find_bags", "find_recordings", "is_bag"]

SEPARATOR = "__"
"""Between the parts of a path in a name."""
METADATA = "metadata.yaml"


def is_bag(path: Path) -> bool:
    """Return whether a path is one bag: a file with a bag's ending, or a folder of the parts of one recording.

    Without metadata.yaml, files are parts of one recording if they are numbered behind the folder's name, as rosbag2
    names them. A folder with a single file and nothing else to look into is that recording.
    """
    if path.is_file():
        return _has_bag_ending(path)
    if not path.is_dir():
        return False
    if (path / METADATA).is_file():
        return True
    parts = [file for file in path.iterdir() if file.is_file() and _has_bag_ending(file)]
    numbered = re.compile(rf"{re.escape(path.resolve().name)}(_\d+)?")
    if any(inside.is_dir() for inside in path.iterdir()):
        return False
    return len(parts) == 1 or (bool(parts) and all(numbered.fullmatch(_without_ending(part.name)) for part in parts))


def find_recordings(paths: Iterable[Path]) -> dict[str, Path]:
    """Return the bags at and below some paths by name: the path below the given one, with `__` between its parts.

    Hidden files and folders are left out.

    Raises:
        RecordingError: There is no bag, or two have one name.
    """
    found: dict[str, Path] = {}
    for given in paths:
        if not given.exists():
            msg = f"process: expected recordings at {given}, there is nothing"
            raise RecordingError(msg)
        for path in find_bags(given):
            relative = path.relative_to(given) if path != given else Path(path.resolve().name)
            parts = [*relative.parts[:-1], _without_ending(relative.name)]
            name = SEPARATOR.join(parts)
            if name in found:
                msg = f"process: expected recordings with different names, {found[name]} and {path} are both {name}"
                raise RecordingError(msg)
            found[name] = path
    if not found:
        msg = f"process: expected bags below {', '.join(map(str, paths))}, there is none"
        raise RecordingError(msg)
    return dict(sorted(found.items()))


def find_bags(path: Path) -> Iterator[Path]:
    """Yield the bags at and below a path, in the order of their names, without hidden files and folders."""
    if is_bag(path):
        yield path
    elif path.is_dir():
        for inside in sorted(path.iterdir()):
            if not inside.name.startswith("."):
                yield from find_bags(inside)


def _has_bag_ending(path: Path) -> bool:
    name = path.name.removesuffix(".zstd")
    return not name.startswith(".") and name.endswith(BAG_ENDINGS)


def _without_ending(name: str) -> str:
    plain = name.removesuffix(".zstd")
    ending = next((ending for ending in BAG_ENDINGS if plain.endswith(ending)), "")
    return plain.removesuffix(ending)
