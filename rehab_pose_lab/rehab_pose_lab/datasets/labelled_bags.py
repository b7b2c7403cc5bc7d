"""Result bags with labels, for example a therapist's notes of recorded sessions, for training and evaluation.

The folder contains bags of results (with the topic `joints`) and labels.csv with the columns bag, subject, group,
start_s, end_s, label: one line per exercise, with times from the first joints in the bag.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.bags.reader import BagReader
from rehab_pose.errors import RecordingError
from rehab_pose.messages import topics
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.skeletons.dkp24 import DKP_24
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import Clip, clip_from_joints, csv_rows, leave_out, required_file

if TYPE_CHECKING:
    import os

    from rehab_pose.datatypes import Joints

__all__ = ["LABEL_COLUMNS", "load_labelled_bags"]

LABEL_COLUMNS = ("bag", "subject", "group", "start_s", "end_s", "label")


def load_labelled_bags(root: str | os.PathLike[str], *, skipped: list[str] | None = None) -> list[Clip]:
    """Return one clip per line of labels.csv.

    Args:
        root: Folder of labels.csv and of the bags that it lists.
        skipped: Where it is given, an unusable line is left out and a message about it is appended.

    Raises:
        RecordingError: labels.csv is missing; or a line is unusable and `skipped` is None.
    """
    folder = Path(root)
    labels = required_file(folder, "labels.csv", "bags")
    clips: list[Clip] = []
    read: dict[str, list[Joints]] = {}
    for number, row in enumerate(csv_rows(labels, ()), start=2):
        with leave_out(skipped):
            clips.append(_clip(folder, row, read, f"{labels}: line {number}"))
    return clips


def _clip(folder: Path, row: dict[str, str], read: dict[str, list[Joints]], place: str) -> Clip:
    absent = [name for name in LABEL_COLUMNS if row.get(name) is None]
    if absent:
        msg = f"{place}: expected the columns {', '.join(LABEL_COLUMNS)}; {', '.join(absent)} missing"
        raise RecordingError(msg)
    bag = row["bag"]
    if bag not in read:
        read[bag] = _joints(folder, bag, place)
    bag_joints = read[bag]
    try:
        start_ns, end_ns = (bag_joints[0].stamp_ns + round(float(row[name]) * 1e9) for name in ("start_s", "end_s"))
    except (ValueError, OverflowError) as error:
        msg = f"{place}: expected start_s and end_s in seconds: {error}"
        raise RecordingError(msg) from error
    inside = [joints for joints in bag_joints if start_ns <= joints.stamp_ns <= end_ns]
    if not inside:
        msg = f"{place}: {bag}: expected joints from {row['start_s']} s to {row['end_s']} s, there are none"
        raise RecordingError(msg)
    return clip_from_joints(
        inside,
        name=f"{bag}_{row['start_s']}",
        dataset="bags",
        subject=row["subject"],
        group=row["group"],
        label=row["label"],
    )


def _joints(folder: Path, bag: str, place: str) -> list[Joints]:
    """Return the joints of a bag in order of their stamps.

    Raises:
        RecordingError: The bag is outside the folder, or has no joints of a supported skeleton.
    """
    if "\0" in bag:
        msg = f"{place}: expected the name of a bag, got {bag!r}"
        raise RecordingError(msg)
    path = (folder / bag).resolve()
    if not path.is_relative_to(folder.resolve()):
        msg = f"{place}: {bag}: expected a bag inside {folder}, it leads out of it"
        raise RecordingError(msg)
    with BagReader(path) as reader:
        names = [name for name in reader.topics if name.strip("/").split("/")[-1] == topics.JOINTS.name]
        received = [joints_from_message(message) for _, _, message in reader.messages(*names)] if names else []
    joints = {frame.stamp_ns: frame for frame in received if frame is not None}
    if not joints or next(iter(joints.values())).skeleton not in {SMPL_24, DKP_24}:
        msg = f"{place}: {bag}: expected joints of SMPL_24 or DKP_24 on topic {topics.JOINTS.name}, there are none"
        raise RecordingError(msg)
    return [joints[stamp] for stamp in sorted(joints)]
