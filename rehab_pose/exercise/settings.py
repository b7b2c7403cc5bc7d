"""Settings of exercise recognition and repetition counting."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["ExerciseSettings"]


@dataclass(frozen=True)
class ExerciseSettings(Settings):
    """Classification of the exercise and counting of its repetitions."""

    weights_path: str = setting("", "ONNX file of the recogniser; empty = the shipped weights")
    streams: str = setting(
        "joints",
        "joints: the label follows from the joints; fused: keypoints, contours of parts, rotations and vertices of the "
        "body correct it (Eq 30), as far as they are there in time, which makes the stages that find them run",
        choices=("joints", "fused"),
    )
    fused_weights_path: str = setting("", "fused: ONNX file of the correction; empty = the shipped weights")
    library: bool = setting(
        True,
        "Recognise the library's further exercises (bridge, bird-dog, lunge, ...) besides the five that the shipped "
        "network was trained on; they are known with the shipped weights only",
    )
    library_path: str = setting(
        "",
        "Folder of the user's exercises, YAML files of `rehab-pose exercise add`; empty = the folder "
        "rehab_pose/exercises in $XDG_DATA_HOME or in ~/.local/share",
    )
    stride_frames: int = setting(
        3,
        "Classify every n-th frame and keep the result in between; frames of a faster camera count as those of one of "
        "33 Hz",
        minimum=1,
        maximum=30,
    )
    minimum_history_s: float = setting(
        0.8, "The label is none until this much history is available [s]", minimum=0.2, maximum=4.0
    )
    probability_smoothing_s: float = setting(
        0.15, "Time constant of the low-pass filter of the probabilities [s]", minimum=0.0, maximum=5.0
    )
    confidence_threshold: float = setting(
        0.51, "The label is none where no exercise reaches this probability", minimum=0.0, maximum=1.0
    )
    label_hold_s: float = setting(
        0.1, "A new label must be the most probable for this long before it is reported [s]", minimum=0.0, maximum=3.0
    )
    quiet_s: float = setting(
        2.0, "The label is none when the person did not move for this long [s]", minimum=0.5, maximum=4.0
    )
    quiet_range_m: float = setting(
        0.03, "Joints that stay within this range are taken as not moving [m]", minimum=0.0, maximum=0.2
    )
    fixed_frame: str = setting(
        "",
        "Frame of TF that stands still while the robot moves, such as odom, with z up; empty = none: floor and feet "
        "tell how the camera moves",
    )
    forget_s: float = setting(
        1.0, "The label is none when no person was found for this long [s]", minimum=0.1, maximum=10.0
    )
    interruption_s: float = setting(
        12.0,
        "A set continues after the person was hidden or out of view for up to this long [s]",
        minimum=0.5,
        maximum=60.0,
    )
    set_gap_s: float = setting(
        12.0,
        "Pauses up to this long, in view and without the label, are part of a set; after a longer one the count starts "
        "at 1 again [s]",
        minimum=0.5,
        maximum=60.0,
    )
    lookback_s: float = setting(
        5.0, "Repetitions up to this long before the label was known are counted [s]", minimum=0.0, maximum=15.0
    )
    confirm_s: float = setting(
        0.8, "Repetitions are reported once the label has lasted this long [s]", minimum=0.0, maximum=10.0
    )
    shortest_repetition_s: float = setting(0.45, "Shorter cycles are discarded as noise [s]", minimum=0.1, maximum=5.0)
    longest_repetition_s: float = setting(
        45.0,
        "Cycles that are not complete after this time, or after the exercise's longest repetition and its holds, are "
        "abandoned [s]",
        minimum=2.0,
        maximum=120.0,
    )
    minimum_range_share: float = setting(
        1.0, "Factor of the smallest range of movement that counts as a repetition", minimum=0.2, maximum=5.0
    )
