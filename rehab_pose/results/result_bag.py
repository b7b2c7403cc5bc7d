"""A recording processed into a bag of results and a summary of each frame."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from rehab_pose.bags.writer import BagWriter
from rehab_pose.messages.floor import FloorPlaneChanges
from rehab_pose.messages.results import latched_messages, result_messages
from rehab_pose.messages.topics import SHAPE_TOPICS
from rehab_pose.results.summary import frame_summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import Pipeline, PipelineResult

__all__ = ["write_result_bag"]


def write_result_bag(
    frames: Iterable[RgbdFrame],
    pipeline: Pipeline,
    folder: Path,
    *,
    images: bool = False,
    mesh: bool = False,
    each: Callable[[RgbdFrame, PipelineResult], None] | None = None,
) -> list[dict[str, Any]]:
    """Process frames, write the results as a new bag, and return the summary of each frame.

    Args:
        frames: At least one frame, in stamp order.
        pipeline: The stages.
        folder: The bag's folder, which must not exist.
        images: Also write silhouettes, parts and keypoints, which show the person.
        mesh: Also write the vertices of the mesh (2 MB/s).
        each: Called with each frame and its result.

    Raises:
        RecordingError: The frames cannot be read, or the bag cannot be written.
    """
    source = iter(frames)
    first = next(source)  # an error where the recording has no frame, before there is any output
    summaries, floor = [], FloorPlaneChanges()
    with BagWriter(folder) as writer:
        for topic, message in latched_messages(writer.factory, pipeline.model, pipeline.exercise_labels):
            writer.write(topic, first.stamp_ns, message)
        for frame in chain([first], source):
            result = pipeline.process(frame)
            for topic, message in result_messages(writer.factory, frame, result, floor, images=images, mesh=mesh):
                if images or topic not in SHAPE_TOPICS:
                    writer.write(topic, frame.stamp_ns, message)
            summaries.append(frame_summary(result))
            if each is not None:
                each(frame, result)
    return summaries
