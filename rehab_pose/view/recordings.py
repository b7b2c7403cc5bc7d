"""Recordings whose frames can be shown from any place: bags of a camera and folders of images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from rehab_pose.bags.reader import BagReader
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from rehab_pose.bags.camera_topics import CameraTopics
    from rehab_pose.bags.image_folders import ImageFolders
    from rehab_pose.capture.settings import CaptureSettings
    from rehab_pose.datatypes import RgbdFrame

__all__ = ["BagRecording", "FolderRecording", "FrameRecording"]


class FrameRecording(Protocol):
    """A recording of an RGB-D camera."""

    @property
    def title(self) -> str:
        """Kind and name, for people."""

    @property
    def duration_s(self) -> float:
        """Length [s]."""

    def frames(self, since_s: float) -> Generator[RgbdFrame]:
        """Yield the frames from a time after the beginning on [s].

        Raises:
            RecordingError: The recording cannot be read.
        """


class BagRecording:
    """The frames of a bag."""

    def __init__(self, path: Path, camera: CameraTopics | None = None, capture: CaptureSettings | None = None) -> None:
        """Open the bag and find its camera.

        Args:
            path: The bag.
            camera: Topics of the camera; None = found.
            capture: Settings of pairing and cleaning of its images.

        Raises:
            RecordingError: It cannot be read, or has no camera.
        """
        self._opened = path, camera, capture
        with BagReader(*self._opened) as reader:
            reader.camera_topics()
            self.duration_s = reader.duration_s
        self.title = f"Recording {path.name}"

    def frames(self, since_s: float) -> Generator[RgbdFrame]:
        """Yield the frames from a time after the beginning on [s]."""
        with BagReader(*self._opened) as reader:
            yield from reader.frames(since_s=since_s)


class FolderRecording:
    """The frames of folders of images."""

    def __init__(self, folders: ImageFolders, name: str) -> None:
        """Check that every image can be decoded.

        Args:
            folders: The images.
            name: Name for people.

        Raises:
            RecordingError: An image is missing or damaged.
        """
        self._folders = folders
        self.duration_s = folders.check() / folders.rate_hz
        self.title = f"Images in {name}"

    def frames(self, since_s: float) -> Generator[RgbdFrame]:
        """Yield the frames from a time after the beginning on [s]."""
        first_ns: int | None = None
        for _, frame in self._folders.frames():
            first_ns = frame.stamp_ns if first_ns is None else first_ns
            if frame.stamp_ns - first_ns >= since_s * NS_PER_S:
                yield frame
