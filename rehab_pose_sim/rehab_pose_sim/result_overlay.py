"""A picture of recorded results over the frames that they were computed from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehab_pose.bags.reader import BagReader
from rehab_pose.body.loader import load_body_model
from rehab_pose.drawing.overlay import OverlayContent, draw_overlay, write_picture
from rehab_pose.messages import topics
from rehab_pose.messages.body import vertices_from_message
from rehab_pose.messages.exercise import classification_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.messages.topic_names import recorded_name
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from rehab_pose.datatypes import ExerciseClassification, Joints, RgbdFrame

__all__ = ["write_result_overlay"]


@dataclass
class _RecordedResults:
    """Results by stamp [ns]; a result that was not recorded, or that found no person, is not in its dictionary."""

    joints: dict[int, Joints] = field(default_factory=dict)
    vertices_m: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    classifications: dict[int, ExerciseClassification] = field(default_factory=dict)


def _read_results(reader: BagReader, stamps_ns: set[int]) -> _RecordedResults:
    """Return the results in a bag at the given stamps [ns]."""
    results = _RecordedResults()
    wanted = (topics.JOINTS, topics.VERTICES, topics.EXERCISE)
    selected = {recorded_name(topic.name, reader.topics): topic for topic in wanted}
    found = [name for name in selected if name is not None]
    for name, _, message in reader.messages(*found) if found else ():
        stamp = stamp_ns(message.header.stamp)
        if stamp not in stamps_ns:
            continue
        topic = selected[name]
        if topic is topics.JOINTS:
            joints = joints_from_message(message)
            if joints is not None:
                results.joints[stamp] = joints
        elif topic is topics.VERTICES:
            results.vertices_m[stamp] = vertices_from_message(message)
        else:
            results.classifications[stamp] = classification_from_message(message)
    return results


def write_result_overlay(frames: Iterable[RgbdFrame], results: Path, output: Path, columns: int) -> int:
    """Draw the joints, meshes and labels of a result bag over frames; return the number of frames with results.

    A result bag has no image of the person, so the silhouettes are segmented again.

    Args:
        frames: Frames to draw.
        results: Result bag.
        output: Image file.
        columns: Number of frames in a row of the picture.

    Raises:
        RecordingError: The bag cannot be read, none of the frames has results, or the file cannot be written.
    """
    segmenter, model, pictures = SilhouetteSegmenter(), load_body_model(), []
    selected = {frame.stamp_ns: frame for frame in frames}
    with BagReader(results) as reader:
        recorded = _read_results(reader, set(selected))
    for stamp, frame in selected.items():
        if stamp in recorded.classifications:
            segmenter.reset()  # the frames are seconds apart: it would take the person for another one
            content = OverlayContent(
                segmenter.segment(frame),
                recorded.joints.get(stamp),
                recorded.vertices_m.get(stamp),
                recorded.classifications[stamp],
            )
            pictures.append(draw_overlay(frame, content, model))
    write_picture(pictures, columns, output)
    return len(pictures)
