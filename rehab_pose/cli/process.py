"""`rehab-pose process`: run all stages over a recording, offline, in stamp order, without DDS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    import argparse

    from rehab_pose.pipeline import Pipeline

__all__ = ["add_parser", "models_of", "run"]

SUMMARY = "summary.json"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = subparsers.add_parser("process", help="run all stages over a recording: a result bag and summary.json")
    parser.add_argument("recording", type=Path, help="bag with colour, camera_info and depth")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the result bag and summary.json")
    parser.add_argument("--mesh", action="store_true", help="keep the vertices of the mesh too (2 MB a second)")
    parser.add_argument(
        "--silhouettes", action="store_true", help="keep the person's pixels too (images of the person)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Process a recording.

    Raises:
        RecordingError: The recording cannot be read, holds no frame, or the output is there already.
    """
    from tqdm import tqdm  # noqa: PLC0415  (loaded only when this command runs)

    from rehab_pose.messages.results import latched_messages, result_messages  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose.recordings.bag_reader import BagReader  # noqa: PLC0415
    from rehab_pose.recordings.bag_writer import BagWriter  # noqa: PLC0415
    from rehab_pose.reports.summary import frame_summary, write_summary  # noqa: PLC0415

    bag_folder = arguments.output / "results"
    if bag_folder.exists():
        msg = f"expected a new place for the results, {bag_folder} is there already; choose another or remove it"
        raise RecordingError(msg)
    pipeline = Pipeline()
    frames: list[dict[str, Any]] = []
    with BagReader(arguments.recording) as reader, BagWriter(bag_folder) as writer:
        for frame in tqdm(reader.frames(), unit="frame", disable=None):
            if not frames:
                for topic, message in latched_messages(writer.carrier, pipeline.body.model):
                    writer.write(topic, frame.stamp_ns, message)
            result = pipeline.process(frame)
            images, mesh = arguments.silhouettes, arguments.mesh
            for topic, message in result_messages(writer.carrier, frame, result, images=images, mesh=mesh):
                writer.write(topic, frame.stamp_ns, message)
            frames.append(frame_summary(result))
    write_summary(arguments.output / SUMMARY, arguments.recording.name, models_of(pipeline), frames)
    present = sum(frame["silhouette_box"] is not None for frame in frames)
    print(f"{len(frames)} frames, a person in {present}: {bag_folder}, {arguments.output / SUMMARY}")
    return 0


def models_of(pipeline: Pipeline) -> dict[str, str]:
    """Return name and hash of the weights behind every stage that has some."""
    return {
        "silhouette": pipeline.silhouette.model_id,
        "joints": pipeline.joints.model_id,
        "body": pipeline.body.model.model_id,
        "exercise": pipeline.exercise.model_id,
    }
