"""A video of the camera's images with silhouette, joints and mesh drawn over them (H.264 in MP4)."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.drawing.overlay import OverlayContent, draw_overlay
from rehab_pose.errors import RecordingError
from rehab_pose.optional_packages import optional_package
from rehab_pose.output_file import refuse_existing
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import PipelineResult

__all__ = ["OverlayVideo"]

RATE_HZ = 30.0
"""Pictures of the video in a second [Hz]: each shows the newest frame at its time, so that it plays at the speed of the
recording whatever the camera's rate is."""
QUALITY = 7
"""Quality of the encoder, 0 to 10: at 7, text and thin lines stay sharp."""
LONGEST_PAUSE_S = 10.0
"""A longer pause in the recording is shown as so long [s]."""


class OverlayVideo(AbstractContextManager["OverlayVideo"]):
    """Writes a video of frames as they come; use it in a `with` statement, whose end moves the file to its place."""

    def __init__(self, path: Path, model: BodyModel) -> None:
        """Prepare the file.

        Args:
            path: New file, its name ends in .mp4.
            model: The body model whose mesh is drawn.

        Raises:
            RecordingError: The file exists, or its place cannot be written.
            MissingDependencyError: The encoder is not installed.
        """
        refuse_existing([path])
        self._encoder = optional_package("imageio_ffmpeg", "exports")
        self._path, self._model = path, model
        self._part = path.with_name(f".{path.stem}.part.mp4")
        self._stream: Generator[None, NDArray[np.uint8], None] | None = None
        self._start_ns, self._last_ns, self._written = 0, 0, 0

    def add(self, frame: RgbdFrame, result: PipelineResult) -> None:
        """Draw a frame and append it.

        Raises:
            RecordingError: The encoder cannot write the file.
        """
        vertices_m = None if result.body is None else result.body.vertices_m
        content = OverlayContent(result.silhouette, result.joints, vertices_m, result.exercise.classification)
        picture = draw_overlay(frame, content, self._model)
        height, width = (side // 2 * 2 for side in picture.shape[:2])  # the colour format has even sides
        if self._stream is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._encoder.write_frames(
                str(self._part),
                (width, height),
                fps=RATE_HZ,
                quality=QUALITY,
                macro_block_size=2,
                ffmpeg_log_level="error",
            )
            self._stream.send(None)  # type: ignore[arg-type]  # starts the generator
            self._start_ns = self._last_ns = frame.stamp_ns
        pause_ns = frame.stamp_ns - self._last_ns - int(LONGEST_PAUSE_S * NS_PER_S)
        self._start_ns += max(0, pause_ns)
        self._last_ns = frame.stamp_ns
        due = round((frame.stamp_ns - self._start_ns) / NS_PER_S * RATE_HZ) + 1
        content_bytes = np.ascontiguousarray(picture[:height, :width])
        try:
            while self._written < due:
                self._stream.send(content_bytes)
                self._written += 1
        except OSError as error:
            msg = f"video: expected to write {self._path}: {error}; free space, or choose another place"
            raise RecordingError(msg) from error

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
        if kind is None and self._part.is_file():
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)
