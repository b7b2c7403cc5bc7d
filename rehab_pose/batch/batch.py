"""A batch: the recordings that are left to do, their rows, and the tables at the end."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rehab_pose import __version__
from rehab_pose.batch.worker import ROW_FILE, BatchSettings, Task
from rehab_pose.errors import RecordingError
from rehab_pose.optional_packages import optional_package
from rehab_pose.output_file import writable_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from rehab_pose.batch.executors import Executor

__all__ = ["RECORDINGS_TABLE", "REPETITIONS_TABLE", "Batch", "locked_output"]

RECORDINGS_TABLE, REPETITIONS_TABLE = "recordings.parquet", "repetitions.parquet"
LOCK_FILE = ".batch.lock"
REPETITION_COLUMNS = ("name", "exercise", "number", "side", "start_s", "turn_s", "end_s", "signal", "unit", "minimum")
MAX_ROW_BYTES = 64 * 1024**2
"""Largest row file that is read [bytes]: a repetition has 500 bytes."""


@contextmanager
def locked_output(folder: Path) -> Iterator[None]:
    """Keep a second batch out of an output folder, which is made where there is none.

    Raises:
        RecordingError: Another program works on it, or it cannot be written.
    """
    writable_place(folder / LOCK_FILE)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"process: another `rehab-pose process` works on {folder}; wait for it, or choose another folder"
            raise RecordingError(msg) from error
        yield


class Batch:
    """Recordings with an output folder; a folder of an earlier run goes on where that stopped."""

    def __init__(self, recordings: Mapping[str, Path], output: Path, settings: BatchSettings | None = None) -> None:
        """Find out which recordings have results already.

        Args:
            recordings: Path of each recording by its name.
            output: Folder with one folder for each recording, and the tables.
            settings: Of the stages and the camera.

        Raises:
            RecordingError: The output has results of another version or other settings, or folders of another program.
        """
        self.output, self._settings = output, settings or BatchSettings()
        self.rows: dict[str, dict[str, Any]] = {}
        self.tasks: list[Task] = []
        for name, path in recordings.items():
            folder = output / name
            if folder.exists():
                self.rows[name] = self._earlier(folder)
            else:
                self.tasks.append(Task(name, str(path), str(folder), self._settings))
        self.resumed = len(self.rows)

    def _earlier(self, folder: Path) -> dict[str, Any]:
        file = folder / ROW_FILE
        try:
            with file.open("rb") as stream:  # a larger file is cut, and refused as damaged
                row: dict[str, Any] = json.loads(stream.read(MAX_ROW_BYTES))
            made = (row["recording"]["version"], row["recording"]["settings"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = f"process: expected results of this command in {folder} ({error}); choose another output folder"
            raise RecordingError(msg) from error
        if made != (__version__, self._settings.hash):
            msg = (
                f"process: {folder} has results of version {made[0]} with settings {made[1] or 'by default'}, this is "
                f"{__version__} with {self._settings.hash or 'the defaults'}; choose another output folder"
            )
            raise RecordingError(msg)
        return row

    def run(self, executor: Executor) -> Iterator[dict[str, Any]]:
        """Process the recordings that are left; yield the facts of each when it is done."""
        for row in executor.rows(self.tasks):
            self.rows[row["recording"]["name"]] = row
            yield row["recording"]

    def write_tables(self) -> tuple[Path, Path]:
        """Write or replace the two tables, in the order of the names; the same rows give the same bytes.

        Raises:
            RecordingError: They cannot be written.
            MissingDependencyError: pandas or pyarrow is not installed.
        """
        ordered = [self.rows[name] for name in sorted(self.rows)]
        paths = self.output / RECORDINGS_TABLE, self.output / REPETITIONS_TABLE
        _write_table(paths[0], [row["recording"] for row in ordered])
        _write_table(paths[1], [entry for row in ordered for entry in row["repetitions"]], REPETITION_COLUMNS)
        return paths


def _write_table(path: Path, rows: Iterable[dict[str, Any]], columns: tuple[str, ...] = ()) -> None:
    pandas = optional_package("pandas", "batch")
    table = pandas.DataFrame(list(rows)).convert_dtypes()
    for column in columns:
        if column not in table:
            table[column] = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            table.to_parquet(file, index=False)
        os.replace(file.name, path)  # noqa: PTH105  (a name, not a path)
    except OSError as error:
        msg = f"process: {path} cannot be written ({error.strerror or error}); free space, or choose another folder"
        raise RecordingError(msg) from error
