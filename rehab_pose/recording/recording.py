"""`Recording`: the results of a recording for Python, read from a bag of results when they are used."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bags.losses import BagLosses
from rehab_pose.bags.reader import BagReader
from rehab_pose.datatypes import unknown_plane
from rehab_pose.errors import RecordingError, RehabPoseError
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_from_message
from rehab_pose.messages.body import body_from_message
from rehab_pose.messages.exercise import classification_from_message, repetition_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.floor import floor_plane_from_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.messages.topic_names import recorded_name
from rehab_pose.recording.tracks import angle_track, body_track, joint_track, label_track
from rehab_pose.results.summary import RESULT_FOLDER, SUMMARY, write_summary
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from rehab_pose.datatypes import Repetition, RgbdFrame
    from rehab_pose.messages.factory import Message
    from rehab_pose.messages.topics import Topic
    from rehab_pose.pipeline import Pipeline, PipelineResult
    from rehab_pose.recording.tracks import AngleTrack, BodyTrack, JointTrack, LabelTrack

__all__ = ["Recording", "has_results", "open_recording", "process_recording"]


class Recording(AbstractContextManager["Recording"]):
    """Results of one recording; each kind is read from the bag when it is first used.

    Attributes:
        path: The bag of results.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        temporary: tempfile.TemporaryDirectory[str] | None = None,
        camera_losses: BagLosses | None = None,
    ) -> None:
        """Open a bag of results.

        Args:
            path: Folder or file of the bag.
            temporary: A folder that is removed when the recording is closed or no longer used.
            camera_losses: What was left out of the camera's recording.

        Raises:
            RecordingError: There is no bag, or it has no joints.
        """
        self.path = Path(path)
        self._temporary = temporary
        self._camera_losses = camera_losses or BagLosses()
        self._losses: dict[str, BagLosses] = {}
        self._unusable = 0
        with BagReader(self.path) as reader:
            self._topics = {name: topic.type_name for name, topic in reader.topics.items()}
        if self._topic_name(topics.JOINTS) is None:
            msg = (
                f"recording: expected a bag of results with {topics.JOINTS.name}, {self.path} has "
                f"{', '.join(self._topics) or 'no topic'}; for a camera's bag use rehab_pose.process"
            )
            raise RecordingError(msg)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary results of `rehab_pose.process`; what was read before stays usable."""
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def __repr__(self) -> str:
        return f"Recording({str(self.path)!r})"

    @property
    def losses(self) -> str:
        """Parts that could not be read so far, in words; empty if nothing is missing."""
        total = BagLosses(undecodable_messages=self._unusable)
        for losses in self._losses.values():  # each topic is read by itself: damage of the file is found every time
            total.damaged_records = max(total.damaged_records, losses.damaged_records)
            total.cut_files = max(total.cut_files, losses.cut_files)
            total.undecodable_messages += losses.undecodable_messages
        total.add(self._camera_losses)
        return total.sentence

    @cached_property
    def joints(self) -> JointTrack:
        """The joint centres of every frame."""
        return joint_track(*self._read(topics.JOINTS, joints_from_message))

    @cached_property
    def angles(self) -> AngleTrack:
        """The clinical joint angles of every frame."""
        return angle_track(*self._read(topics.JOINT_ANGLES, angles_from_message))

    @cached_property
    def body(self) -> BodyTrack:
        """The parameters of the fitted body of every frame."""
        return body_track(*self._read(topics.BODY, body_from_message))

    @cached_property
    def exercise(self) -> LabelTrack:
        """The exercise of every frame."""
        return label_track(self._read(topics.EXERCISE, classification_from_message)[1])

    @cached_property
    def repetitions(self) -> tuple[Repetition, ...]:
        """The finished repetitions."""
        return tuple(self._read(topics.REPETITION, repetition_from_message)[1])

    @cached_property
    def floor_plane(self) -> NDArray[np.float64]:
        """(4) the floor in the camera's frame as in `FloorPlane.plane`: that of most frames; NaN = not seen."""
        stamps, planes = self._read(topics.FLOOR_PLANE, floor_plane_from_message)
        if not planes:
            return unknown_plane()
        ends = [*stamps[1:], max(int(self.stamps_ns[-1]), stamps[-1]) + 1]
        durations = np.subtract(ends, stamps)
        known = np.array([np.isfinite(floor.plane).all() for floor in planes])
        if not known.any():
            return unknown_plane()
        return np.array(planes[int(np.argmax(np.where(known, durations, -1)))].plane)

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        """(T) stamps of the frames [ns]."""
        return self.joints.stamps_ns

    @property
    def times_s(self) -> NDArray[np.float64]:
        """(T) time of the frames since the first [s]."""
        stamps = self.stamps_ns
        return np.asarray((stamps - stamps[0]) / NS_PER_S) if len(stamps) else np.empty(0)

    @property
    def rate_hz(self) -> float:
        """Frames per second, from the median time between frames; NaN with fewer than two frames."""
        return float(1.0 / np.median(np.diff(self.times_s))) if len(self.stamps_ns) > 1 else float("nan")

    def to_pandas(self) -> pd.DataFrame:
        """Return a table with one row a frame: joints [m], joint angles [deg], exercise.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        from rehab_pose.recording.tables import frame_table  # noqa: PLC0415  (pandas is optional)

        return frame_table(self)

    def repetitions_to_pandas(self) -> pd.DataFrame:
        """Return a table with one row a repetition.

        Raises:
            MissingDependencyError: pandas is not installed.
        """
        from rehab_pose.recording.tables import repetition_table  # noqa: PLC0415  (pandas is optional)

        return repetition_table(self)

    def to_xarray(self) -> xr.Dataset:
        """Return joints, angles and exercise as one data set with named dimensions and units.

        Raises:
            MissingDependencyError: xarray is not installed.
        """
        from rehab_pose.recording.tables import dataset  # noqa: PLC0415  (xarray is optional)

        return dataset(self)

    def _topic_name(self, topic: Topic) -> str | None:
        """Return the name in the bag: it may have a namespace; the shortest one of the type is taken."""
        names = [name for name, kind in self._topics.items() if kind == topic.type_name]
        elsewhere = [name for name in names if f"/{name}".endswith(f"/{topic.name}")]
        return recorded_name(topic.name, names) or min(elsewhere, key=len, default=None)

    def _read(self, topic: Topic, convert: Callable[[Message], Any]) -> tuple[list[int], list[Any]]:
        """Return stamps [ns] and records of a topic in the order of their stamps; unusable messages are counted."""
        name = self._topic_name(topic)
        if name is None:
            return [], []
        found: list[tuple[int, Any]] = []
        with BagReader(self.path) as reader:
            for _, _, message in reader.messages(name):
                try:
                    found.append((stamp_ns(message.header.stamp), convert(message)))
                except RehabPoseError:  # noqa: PERF203  (each message by itself)
                    self._unusable += 1
            self._losses[name] = reader.losses
        found.sort(key=lambda entry: entry[0])
        return [stamp for stamp, _ in found], [record for _, record in found]


def open_recording(path: str | Path) -> Recording:
    """Open results: a bag of results, a folder of `rehab-pose process`, or the recording of a session.

    Raises:
        RecordingError: There is no bag of results.
    """
    return Recording(_result_bag(Path(path)))


def has_results(path: str | Path) -> bool:
    """Return whether a path has results, for `open_recording`; False for a camera's bag.

    Raises:
        RecordingError: There is no bag.
    """
    with BagReader(_result_bag(Path(path))) as reader:
        return any(topic.type_name == topics.JOINTS.type_name for topic in reader.topics.values())


def _result_bag(path: Path) -> Path:
    return path / RESULT_FOLDER if (path / RESULT_FOLDER).is_dir() else path


def process_recording(
    bag: BagReader,
    output: str | Path | None = None,
    pipeline: Pipeline | None = None,
    *,
    each: Callable[[RgbdFrame, PipelineResult], None] | None = None,
    progress: bool = False,
) -> Recording:
    """Run all stages over a camera's recording.

    Args:
        bag: Bag with colour, camera_info and depth; it is closed afterwards.
        output: Folder for the results, as of `rehab-pose process`; None = a temporary folder.
        pipeline: The stages, without earlier frames; None = new ones.
        each: Called with each frame and its result.
        progress: Show a progress bar with the time left on standard error, if that is a terminal.

    Raises:
        RecordingError: The recording cannot be read, or the output exists or cannot be written.
        ModelFileError: Weights or the body model cannot be used.
    """
    from tqdm import tqdm  # noqa: PLC0415  (the stages are slow to load)

    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose.results.result_bag import write_result_bag  # noqa: PLC0415

    temporary = tempfile.TemporaryDirectory(prefix="rehab_pose_") if output is None else None
    folder = Path(temporary.name if temporary else str(output))
    with bag as reader:
        pipeline = pipeline or Pipeline()
        count = reader.topics[reader.camera_topics().color].count
        frames = tqdm(reader.frames(), total=count, unit="frame", disable=None if progress else True)
        summaries = write_result_bag(frames, pipeline, folder / RESULT_FOLDER, each=each)
        losses = reader.losses
    write_summary(folder / SUMMARY, bag.path.name, pipeline.model_ids, summaries)
    return Recording(folder / RESULT_FOLDER, temporary=temporary, camera_losses=losses)
