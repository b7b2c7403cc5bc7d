"""What a result bag says about each frame, by stamp."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.body import vertices_from_message
from rehab_pose.messages.exercise import classification_from_message
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.joints import joints_from_message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rehab_pose.bags.reader import BagReader
    from rehab_pose.datatypes import ExerciseClassification, Joints

__all__ = ["RecordedResults", "read_results"]


@dataclass
class RecordedResults:
    """Results by stamp [ns]; what was not recorded, or found nobody, is not in its dictionary."""

    joints: dict[int, Joints] = field(default_factory=dict)
    vertices_m: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    recognitions: dict[int, ExerciseClassification] = field(default_factory=dict)


def read_results(reader: BagReader, wanted_ns: set[int]) -> RecordedResults:
    """Read the results at some stamps from a bag."""
    found = RecordedResults()
    names = [topics.JOINTS.name, topics.VERTICES.name, topics.EXERCISE.name]
    recorded = {name.strip("/"): name for name in reader.topics}
    chosen = [recorded[name] for name in names if name in recorded]
    for name, _, message in reader.messages(*chosen):
        stamp = stamp_ns(message.header.stamp)
        if stamp not in wanted_ns:
            continue
        kind = name.strip("/")
        if kind == topics.JOINTS.name:
            joints = joints_from_message(message)
            if joints is not None:
                found.joints[stamp] = joints
        elif kind == topics.VERTICES.name:
            found.vertices_m[stamp] = vertices_from_message(message)
        else:
            found.recognitions[stamp] = classification_from_message(message)
    return found
