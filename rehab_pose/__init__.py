"""Analysis of rehabilitation exercises of a person with one RGB-D camera.

    import rehab_pose

    recording = rehab_pose.process("clip")  # a camera's bag
    recording = rehab_pose.open("results")  # results that were written before
    recording.joints.positions_m, recording.angles.angles_deg, recording.repetitions
    recording.to_pandas(), recording.to_xarray()

Importing this package loads no network, no ROS and no OpenCV; they are loaded with the stages that need them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.bags.camera_topics import CameraTopics
    from rehab_pose.capture.settings import CaptureSettings
    from rehab_pose.pipeline import PipelineSettings
    from rehab_pose.recording.recording import Recording

__all__ = ["__version__", "open", "process"]

__version__ = "0.2.0"


def process(
    path: str | Path,
    output: str | Path | None = None,
    settings: PipelineSettings | None = None,
    *,
    camera: CameraTopics | None = None,
    capture: CaptureSettings | None = None,
    progress: bool = False,
) -> Recording:
    """Run all stages over a camera's recording, as `rehab-pose process`, and return the results.

    Args:
        path: Bag with colour, camera_info and depth.
        output: Folder for the results; None = a temporary folder, removed when the recording is closed.
        settings: Of the stages.
        camera: Topics of the camera; None = found by name and type.
        capture: Settings of pairing and cleaning of its images.
        progress: Show a progress bar with the time left on standard error, if that is a terminal.

    Raises:
        RecordingError: The recording cannot be read, or the output exists or cannot be written.
        ModelFileError: Weights or the body model cannot be used.
    """
    from rehab_pose.bags.reader import BagReader  # noqa: PLC0415
    from rehab_pose.pipeline import Pipeline  # noqa: PLC0415
    from rehab_pose.recording.recording import process_recording  # noqa: PLC0415

    return process_recording(BagReader(path, camera, capture), output, Pipeline(settings), progress=progress)


def open(path: str | Path) -> Recording:  # noqa: A001  (used as rehab_pose.open, as in other packages)
    """Open results: a bag of results, a folder of `rehab-pose process`, or the recording of a session.

    Raises:
        RecordingError: There is no bag of results.
    """
    from rehab_pose.recording.recording import open_recording  # noqa: PLC0415

    return open_recording(path)
