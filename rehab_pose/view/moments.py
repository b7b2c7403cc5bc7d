"""A recording, moment by moment: a camera's recording through all stages, or a bag of results as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rehab_pose.bags.reader import BagReader
from rehab_pose.errors import RecordingError
from rehab_pose.messages import topics
from rehab_pose.messages.topic_names import recorded_name
from rehab_pose.pipeline import Pipeline, PipelineSettings
from rehab_pose.results.summary import RESULT_FOLDER
from rehab_pose.units import NS_PER_S
from rehab_pose.view.frame_show import FrameShow
from rehab_pose.view.message_state import MessageState

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from rehab_pose.datatypes import Repetition
    from rehab_pose.messages.topics import Topic
    from rehab_pose.view.exercise_state import ExerciseState
    from rehab_pose.view.hub import Part
    from rehab_pose.view.recordings import FrameRecording

__all__ = ["Moment", "Moments", "ProcessedMoments", "ResultMoments", "is_result_bag"]

SHOWN = (*topics.PAGE_TOPICS, topics.REPETITION)
"""Topics of a bag of results that are shown; session and cues are those of the page."""
CONSTANT = (topics.TOPOLOGY, topics.EXERCISE_LIST)
"""Topics that were sent once, at the beginning."""


@dataclass(frozen=True, eq=False)
class Moment:
    """One frame of a recording."""

    time_s: float
    """From the beginning of the recording [s]."""
    parts: dict[str, Part]
    present: bool
    """Whether a person is in view."""
    repetitions: tuple[Repetition, ...]
    """Those that were finished at this frame."""


class Moments(Protocol):
    """A recording that can be shown from any place."""

    @property
    def title(self) -> str:
        """Kind and name, for people."""

    @property
    def duration_s(self) -> float:
        """Length [s]."""

    def load(self, exercise: ExerciseState) -> tuple[dict[str, Part], tuple[str, ...]]:
        """Return the parts that stay the same, and the names of the exercises; takes seconds where networks are loaded.

        Args:
            exercise: Makes the parts of exercise and progress from then on.

        Raises:
            RehabPoseError: The recording or a network cannot be read.
        """

    def moments(self, since_s: float) -> Generator[Moment]:
        """Yield the moments from a time after the beginning on [s].

        Raises:
            RehabPoseError: The recording cannot be read.
        """


class ProcessedMoments:
    """A camera's recording, whose frames run through all stages."""

    def __init__(self, recording: FrameRecording, settings: PipelineSettings | None, jpeg_quality: int) -> None:
        """Prepare; nothing is loaded yet.

        Args:
            recording: The frames.
            settings: Of the stages; None = the defaults.
            jpeg_quality: Of the camera's image, 10 to 100.
        """
        self._recording, self._settings, self._jpeg_quality = recording, settings, jpeg_quality
        self.title, self.duration_s = recording.title, recording.duration_s

    def load(self, exercise: ExerciseState) -> tuple[dict[str, Part], tuple[str, ...]]:
        """Load the networks; return the parts that stay the same, and the names of the exercises."""
        self._pipeline = Pipeline(self._settings)
        self._pipeline.warm_up()
        self._show = FrameShow(exercise, self._jpeg_quality)
        return self._show.constant_parts(self._pipeline), self._pipeline.exercise_labels

    def moments(self, since_s: float) -> Generator[Moment]:
        """Yield the moments from a time after the beginning on [s]; the stages forget what was before."""
        self._pipeline.reset()
        first_ns: int | None = None
        for frame in self._recording.frames(since_s):
            first_ns = frame.stamp_ns - round(since_s * NS_PER_S) if first_ns is None else first_ns
            result = self._pipeline.process(frame)
            repetition = result.exercise.repetition
            yield Moment(
                (frame.stamp_ns - first_ns) / NS_PER_S,
                self._show.parts(frame, result),
                result.joints is not None,
                () if repetition is None else (repetition,),
            )


class ResultMoments:
    """A bag of results, such as `rehab-pose process` and sessions write: shown as it is, without a camera image."""

    def __init__(self, path: Path, jpeg_quality: int) -> None:
        """Open the bag.

        Args:
            path: The bag.
            jpeg_quality: Of the camera's image where the bag has one, 10 to 100.

        Raises:
            RecordingError: It cannot be read.
        """
        self._path, self._jpeg_quality = path, jpeg_quality
        with BagReader(path) as reader:
            self.duration_s = reader.duration_s
            self._names = _recorded(reader, SHOWN)
            self._constant = _recorded(reader, CONSTANT)
        # `rehab-pose process` calls every bag of results so; its folder has the name that a person chose.
        self.title = f"Results of {path.resolve().parent.name if path.name == RESULT_FOLDER else path.name}"

    def load(self, exercise: ExerciseState) -> tuple[dict[str, Part], tuple[str, ...]]:
        """Return the parts that stay the same, and the names of the exercises."""
        self._state = MessageState(exercise, self._jpeg_quality)
        missing = set(self._constant)
        with BagReader(self._path) as reader:
            for name, _, message in reader.messages(*self._constant) if missing else ():
                self._state.receive(self._constant[name], message)
                missing.discard(name)
                if not missing:
                    break
        return self._state.take(), self._state.labels

    def moments(self, since_s: float) -> Generator[Moment]:
        """Yield the moments from a time after the beginning on [s]: all messages up to the next joints."""
        first_ns: int | None = None
        time_s, present = since_s, False
        with BagReader(self._path) as reader:
            for name, time_ns, message in reader.messages(*self._names, since_s=since_s):
                first_ns = time_ns - round(since_s * NS_PER_S) if first_ns is None else first_ns
                topic = self._names[name]
                if topic is topics.JOINTS:
                    if parts := self._state.take():
                        yield self._moment(time_s, parts, present=present)
                    time_s, present = (time_ns - first_ns) / NS_PER_S, bool(message.body_id)
                self._state.receive(topic, message)
        if parts := self._state.take():
            yield self._moment(time_s, parts, present=present)

    def _moment(self, time_s: float, parts: dict[str, Part], *, present: bool) -> Moment:
        repetitions = tuple(self._state.repetitions)
        self._state.repetitions.clear()
        return Moment(time_s, parts, present, repetitions)


def _recorded(reader: BagReader, wanted: Iterable[Topic]) -> dict[str, Topic]:
    """Return the topics that a bag has, by their names in it."""
    found = {recorded_name(topic.name, reader.topics): topic for topic in wanted}
    return {name: topic for name, topic in found.items() if name is not None}


def is_result_bag(path: Path) -> bool:
    """Return whether a bag has joints and no camera.

    Raises:
        RecordingError: It cannot be read.
    """
    with BagReader(path) as reader:
        if not _recorded(reader, (topics.JOINTS,)):
            return False
        try:
            reader.camera_topics()
        except RecordingError:
            return True
        return False
