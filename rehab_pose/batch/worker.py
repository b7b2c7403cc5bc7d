"""One recording of a batch: processed into a folder that appears only when it is complete."""

from __future__ import annotations

import hashlib
import json
import math
import multiprocessing
import os
import shutil
import signal
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose import __version__
from rehab_pose.bags.camera_topics import CameraTopics
from rehab_pose.errors import RehabPoseError
from rehab_pose.output_file import write_new

if TYPE_CHECKING:
    from rehab_pose.capture.settings import CaptureSettings
    from rehab_pose.pipeline import Pipeline, PipelineSettings
    from rehab_pose.recording.recording import Recording

__all__ = ["ROW_FILE", "BatchSettings", "Task", "part_folder", "prepare_worker", "process_task"]

ROW_FILE = "batch_row.json"
"""The recording's row of the tables; a folder that has it is complete, and was made by this command."""
MARK_FILE = "batch_part.txt"
"""In a folder that is being written: says that this command made it, so that a later run may remove it."""
DONE, PARTLY, FAILED = "done", "partly", "failed"


def _default_pipeline_settings() -> PipelineSettings:
    from rehab_pose.pipeline import PipelineSettings  # noqa: PLC0415  (slow to load)

    return PipelineSettings()


@dataclass(frozen=True)
class BatchSettings:
    """Settings of all recordings of a batch."""

    pipeline: PipelineSettings = field(default_factory=_default_pipeline_settings)
    """Of the stages."""
    camera: CameraTopics = field(default_factory=CameraTopics)
    """Topics of the camera; empty ones are found by name and type."""
    capture: CaptureSettings | None = None
    """Pairing and cleaning of the camera's images; None = the defaults."""

    @property
    def hash(self) -> str:
        """A hash of the settings; empty for the defaults."""
        if self == BatchSettings():
            return ""
        content = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Task:
    """One recording to process."""

    name: str
    recording: str
    """Path of the bag."""
    folder: str
    """Folder of its results, which does not exist yet."""
    settings: BatchSettings


_pipelines: dict[str, Pipeline] = {}
"""The stages of this process by settings: loading them takes longer than a short recording."""


def part_folder(folder: Path) -> Path:
    """Return the folder that a recording's results are written to before they are complete."""
    return folder.with_name(f".{folder.name}.part")


def prepare_worker() -> None:
    """Leave Ctrl-C to the command that started this process, and end with it, also if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_command, name="end_with_command", daemon=True).start()


def _end_with_command() -> None:
    command = multiprocessing.parent_process()
    if command is not None:
        command.join()
        os._exit(1)


def process_task(task: Task) -> dict[str, Any]:
    """Process a recording; return its row. A recording that cannot be used gives a row with the reason.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    folder = Path(task.folder)
    part = part_folder(folder)
    try:
        return _processed(task, folder, part)
    except (RehabPoseError, OSError) as error:
        _remove_part(part)
        return failed_row(task, str(error).replace(str(part), folder.name))


def failed_row(task: Task, reason: str) -> dict[str, Any]:
    """Return the row of a recording without results."""
    recording = {"name": task.name, "status": FAILED, "problem": reason, "frames": 0, "frames_with_person": 0}
    return {"recording": recording | _provenance(task, {}), "repetitions": []}


def _processed(task: Task, folder: Path, part: Path) -> dict[str, Any]:
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415  (slow to load)
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose.recording.recording import process_recording  # noqa: PLC0415

    _remove_part(part)
    part.mkdir(parents=True)
    (part / MARK_FILE).write_text(f"{task.recording}\n", encoding="utf-8")
    key = task.settings.hash
    if key not in _pipelines:
        _pipelines[key] = Pipeline(task.settings.pipeline)
    pipeline = _pipelines[key]
    pipeline.reset()
    settings = task.settings
    with process_recording(BagReader(task.recording, settings.camera, settings.capture), part, pipeline) as recording:
        row = _row(task, recording, pipeline.model_ids)
    write_new(part / ROW_FILE, (json.dumps(row, indent=1, allow_nan=False) + "\n").encode())
    (part / MARK_FILE).unlink()
    part.rename(folder)
    return row


def _remove_part(part: Path) -> None:
    """Remove what an interrupted run of this command left, nothing else."""
    if (part / MARK_FILE).is_file():
        shutil.rmtree(part)


def _row(task: Task, recording: Recording, model_ids: dict[str, str]) -> dict[str, Any]:
    repetitions = recording.repetitions_to_pandas()
    frames, losses = len(recording.stamps_ns), recording.losses
    facts = {
        "name": task.name,
        "status": PARTLY if losses else DONE,
        "problem": losses,
        "frames": frames,
        "frames_with_person": int(recording.body.present.sum()),
        "duration_s": float(recording.times_s[-1]) if frames else 0.0,
        "repetitions": len(repetitions),
    }
    rows = [
        {"name": task.name, **{key: _plain(value) for key, value in row.items()}}
        for row in repetitions.to_dict("records")
    ]
    return {"recording": facts | _provenance(task, model_ids), "repetitions": rows}


def _provenance(task: Task, model_ids: dict[str, str]) -> dict[str, Any]:
    return {
        "recording": task.recording,
        "version": __version__,
        "settings": task.settings.hash,
        "models": json.dumps(model_ids, sort_keys=True) if model_ids else "",
    }


def _plain(value: Any) -> Any:  # noqa: ANN401  (cells of a table)
    plain = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
