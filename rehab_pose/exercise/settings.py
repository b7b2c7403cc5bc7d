"""What a person may change about exercise recognition and repetition counting."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["ExerciseSettings"]


@dataclass(frozen=True)
class ExerciseSettings(Settings):
    """ExerciseClassification of the exercise and counting of its repetitions."""

    weights_path: str = setting("", "ONNX file of the recogniser; empty = the one that is shipped")
    stride_frames: int = setting(3, "Judge every n-th frame and hold the answer between", minimum=1, maximum=30)
    minimum_history_s: float = setting(0.8, "Say none before this much history [s]", minimum=0.2, maximum=4.0)
    probability_smoothing_s: float = setting(0.15, "Time constant of the probabilities [s]", minimum=0.0, maximum=5.0)
    confidence_threshold: float = setting(0.51, "Below this confidence the answer is none", minimum=0.0, maximum=1.0)
    label_hold_s: float = setting(0.1, "A new label must win this long before it is said [s]", minimum=0.0, maximum=3.0)
    quiet_s: float = setting(2.0, "Say none when nothing moved for this long [s]", minimum=0.5, maximum=4.0)
    quiet_range_m: float = setting(0.03, "Joints that stay within this do not move [m]", minimum=0.0, maximum=0.2)
    forget_s: float = setting(1.0, "Forget the history when nobody was seen this long [s]", minimum=0.1, maximum=10.0)
    set_gap_s: float = setting(
        3.0, "Pauses up to this long belong to the set; after it counting starts at 1 [s]", minimum=0.5, maximum=60.0
    )
    lookback_s: float = setting(
        5.0, "Repetitions this long before the label was known are still counted [s]", minimum=0.0, maximum=15.0
    )
    confirm_s: float = setting(
        0.8, "Report repetitions only once the label has lasted this long [s]", minimum=0.0, maximum=10.0
    )
    shortest_repetition_s: float = setting(0.45, "Faster cycles are noise [s]", minimum=0.1, maximum=5.0)
    longest_repetition_s: float = setting(20.0, "Slower cycles are given up [s]", minimum=2.0, maximum=120.0)
    minimum_range_share: float = setting(
        1.0, "Factor on the smallest range of movement that counts as a repetition", minimum=0.2, maximum=5.0
    )
