"""The files of a bag: a folder with or without metadata.yaml, or a file itself; compressed ones are unpacked."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import yaml

from rehab_pose.errors import RecordingError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

__all__ = ["BAG_ENDINGS", "BagFiles", "find_bag", "unpack"]

BAG_ENDINGS: Final = (".mcap", ".db3", ".bag")
COMPRESSED: Final = ".zstd"
MAX_METADATA_BYTES = 16 * 1024**2
"""Largest metadata.yaml that is read [bytes]; a thousand topics take 1 MB."""
MAX_UNPACKED_BYTES = 64 * 1000**3
"""Largest file that is unpacked from a compressed one [bytes]."""
COPY_BYTES = 1024**2


@dataclass
class BagFiles:
    """The files of a bag."""

    files: list[Path]
    """In the order of recording."""
    compressed_messages: bool = False
    """Each message is compressed by zstd."""
    notes: list[str] = field(default_factory=list)
    """Sentences about metadata that are missing or damaged, and were not needed."""


def find_bag(path: Path) -> BagFiles:
    """Return the files of the bag at a path.

    Raises:
        RecordingError: There is no bag.
    """
    if not path.exists():
        msg = f"bag: expected a rosbag (folder with .mcap or .db3, or such a file) at {path}, there is nothing"
        raise RecordingError(msg)
    if path.is_file():
        if _ending(path) not in BAG_ENDINGS:
            msg = f"bag: expected a rosbag, a file with the ending {', '.join(BAG_ENDINGS)} or a folder, got {path}"
            raise RecordingError(msg)
        return BagFiles([path])
    inside = sorted(file for file in path.iterdir() if file.is_file() and _ending(file) in BAG_ENDINGS)
    information, note = _information(path / "metadata.yaml")
    names = [PurePath(str(name)).name for name in _list(information.get("relative_file_paths"))]
    listed = [path / name for name in names if (path / name).is_file() and _ending(path / name) in BAG_ENDINGS]
    notes = [note] if note else []
    if len(listed) < len(names):
        notes.append(f"{len(names) - len(listed)} files that metadata.yaml names are missing")
    files = listed or inside
    if not files:
        msg = f"bag: expected a rosbag (folder with .mcap or .db3, or such a file) at {path}, no such file is in it"
        raise RecordingError(msg)
    return BagFiles(files, str(information.get("compression_mode", "")).lower() == "message", notes)


def unpack(file: Path, folder: Path) -> Path:
    """Return a file, unpacked into a folder if it is compressed; a cut or damaged one up to the damage.

    Raises:
        RecordingError: It cannot be read, or it is larger than any recording.
    """
    if file.suffix != COMPRESSED:
        return file
    target, size = folder / file.stem, 0
    try:
        with file.open("rb") as source, target.open("wb") as output:
            for part in _unpacked(source):
                size += len(part)
                if size > MAX_UNPACKED_BYTES:
                    msg = f"bag: expected at most {MAX_UNPACKED_BYTES // 1000**3} GB in {file}; unpack it yourself"
                    raise RecordingError(msg)
                output.write(part)
    except OSError as error:
        msg = f"bag: {file} cannot be unpacked into {folder}: {error}"
        raise RecordingError(msg) from error
    return target


def _unpacked(source: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a compressed file in parts, up to its end, a cut or damage."""
    decoder = zstd.ZstdDecompressor()
    data = source.read(COPY_BYTES)
    while data:
        try:
            yield decoder.decompress(data, COPY_BYTES)
            while not decoder.eof and not decoder.needs_input:
                yield decoder.decompress(b"", COPY_BYTES)
        except zstd.ZstdError:
            return
        data = decoder.unused_data if decoder.eof else b""
        if decoder.eof:
            decoder = zstd.ZstdDecompressor()
        data = data or source.read(COPY_BYTES)


def _ending(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix == COMPRESSED else path.suffix


def _information(path: Path) -> tuple[Mapping[str, Any], str]:
    """Return the content of metadata.yaml, and a sentence if it cannot be used."""
    try:
        if path.stat().st_size > MAX_METADATA_BYTES:
            return {}, f"{path} is not read: it is larger than {MAX_METADATA_BYTES // 1024**2} MB"
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        information = content["rosbag2_bagfile_information"]
    except FileNotFoundError:
        return {}, f"there is no {path}; the files in the folder are read"
    except (OSError, yaml.YAMLError, ValueError, KeyError, TypeError, RecursionError):
        return {}, f"{path} is damaged; the files in the folder are read"
    return (information, "") if isinstance(information, dict) else ({}, f"{path} is damaged")


def _list(value: Any) -> list[Any]:  # noqa: ANN401  (a value of YAML)
    return value if isinstance(value, list) else []
