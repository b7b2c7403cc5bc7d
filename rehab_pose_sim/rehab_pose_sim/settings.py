"""Settings of the simulated camera, room and person."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["EXERCISE_CHOICES", "POSTURE_CHOICES", "SimulationSettings"]

EXERCISE_CHOICES = (
    "all",
    "none",
    "arm_lifting",
    "lateral_trunk_tilt",
    "trunk_rotation",
    "pelvis_rotation",
    "squat",
    "bird_dog",
    "bridge",
    "cat_camel",
    "clamshell",
    "curl_up",
    "dead_bug",
    "hip_hinge",
    "knee_to_chest",
    "lunge",
    "marching",
    "pelvic_tilt",
    "prone_press_up",
    "seated_trunk_rotation",
    "side_plank",
    "single_leg_stance",
    "sit_to_stand",
)
"""`all`, `none`, the five exercises of KIMORE, and the other exercises of the product's library."""
POSTURE_CHOICES = (
    "standing",
    "supine",
    "prone",
    "side_lying",
    "crook_lying",
    "bridge",
    "all_fours",
    "all_fours_side",
    "bird_dog",
    "kneeling",
    "half_kneeling",
    "long_sitting",
    "chair",
    "behind_table",
    "back_view",
    "side_view",
    "one_foot",
    "arms_crossed",
)


@dataclass(frozen=True)
class SimulationSettings(Settings):
    """Settings of the camera, the room, the person and the movement."""

    width_px: int = setting(640, "Width of the images [px]", minimum=16, maximum=4096)
    height_px: int = setting(480, "Height of the images [px]", minimum=16, maximum=4096)
    fx: float = setting(460.0, "Focal length along x [px]", minimum=10.0, maximum=10_000.0)
    fy: float = setting(460.0, "Focal length along y [px]", minimum=10.0, maximum=10_000.0)
    rate_hz: float = setting(30.0, "Frames a second", minimum=1.0, maximum=240.0)
    exercise: str = setting(
        "all",
        "all: the five exercises of KIMORE in turn; one exercise of the library, whose posture, support and view "
        "replace those of `posture`; or none: standing still",
        choices=EXERCISE_CHOICES,
    )
    repetitions: int = setting(
        0, "Repetitions of each exercise; 0: as many as fill `seconds_per_exercise`", minimum=0, maximum=100
    )
    hold_s: float = setting(
        0.0, "Time without movement at the far point of each repetition [s]", minimum=0.0, maximum=10.0
    )
    rest_s: float = setting(0.0, "Pause between repetitions [s]", minimum=0.0, maximum=8.0)
    side: str = setting(
        "both",
        "Side of the movement. both: as the exercise is usually done, the left side where a set has one side; left or "
        "right: that side alone, in exercises whose movement has a side",
        choices=("both", "left", "right"),
    )
    posture: str = setting(
        "standing",
        "Posture of the person; those other than standing, back_view and side_view have a small movement of their own "
        "instead of the exercises",
        choices=POSTURE_CHOICES,
    )
    support: str = setting(
        "usual",
        "Surface under a person who lies, kneels or is on all fours; usual: what the posture is mostly done on",
        choices=("usual", "floor", "mat", "couch", "bed"),
    )
    seconds_per_exercise: float = setting(
        12.0, "Length of each exercise, in whole repetitions (two at least) [s]", minimum=3.0, maximum=3600.0
    )
    gap_s: float = setting(2.0, "Standing still before each exercise [s]", minimum=0.0, maximum=600.0)
    tempo: float = setting(1.0, "Speed of the movements; 1: as people do them", minimum=0.2, maximum=4.0)
    amplitude: float = setting(1.0, "Size of the movements; 1: as healthy people do them", minimum=0.1, maximum=1.2)
    asymmetry: float = setting(
        0.0, "Fraction by which the left side moves more and the right side less", minimum=-0.8, maximum=0.8
    )
    sway: float = setting(1.0, "Size of the natural sway; 0: none", minimum=0.0, maximum=5.0)
    seed: int = setting(1, "Seed of all random numbers", minimum=0, maximum=2**31 - 1)
    shape_seed: int = setting(0, "Seed of the body's shape; 0: the mean body", minimum=0, maximum=2**31 - 1)
    people: int = setting(1, "Number of people; 2: another person at the side, farther away", minimum=1, maximum=2)
    camera_height_m: float = setting(1.2, "Height of the camera above the floor [m]", minimum=0.2, maximum=3.0)
    distance_m: float = setting(
        2.6, "Distance of the person from the camera along the floor [m]", minimum=0.8, maximum=6.0
    )
    pitch_deg: float = setting(3.0, "Angle by which the camera is pitched down [deg]", minimum=-30.0, maximum=60.0)
    roll_deg: float = setting(
        0.0, "Angle by which the camera is turned clockwise about its optical axis, seen from behind the camera [deg]",
        minimum=-180.0, maximum=180.0,
    )  # fmt: skip
    aim: str = setting(
        "none",
        "none: height and pitch as set; pitch: the camera is pitched to look at the middle of the person; height: the "
        "camera is raised or lowered so that it does with the pitch that is set",
        choices=("none", "pitch", "height"),
    )
    imu: bool = setting(False, "Frames carry the direction of gravity, as from an inertial sensor in the camera")
    yaw_deg: float = setting(
        0.0, "Angle by which the person is turned to the left [deg]", minimum=-180.0, maximum=180.0
    )
    wall_distance_m: float = setting(3.6, "Distance of the wall from the camera [m]", minimum=1.5, maximum=20.0)
    noise: str = setting(
        "realsense", "Errors of the depth sensor: realsense (stereo), kinect (time of flight) or none",
        choices=("realsense", "kinect", "none"),
    )  # fmt: skip
    furniture: str = setting(
        "none",
        "none; beside: a chair, a cabinet or a sofa at one side; front: a table that hides the legs; around: on "
        "both sides and behind",
        choices=("none", "beside", "front", "around"),
    )
    background_seed: int = setting(
        0, "Seed of the room's colours, patterns and contents; 0: the plain room", minimum=0, maximum=2**31 - 1
    )
    clothing_m: float = setting(
        0.0, "Maximum distance of loose clothes from trunk and thighs [m]", minimum=0.0, maximum=0.04
    )
    start_ns: int = setting(
        0, "Stamp of the first frame [ns]; 0: the time when the camera starts", minimum=0, maximum=2**62
    )
    clock_rate: float = setting(
        1.0,
        "Speed of the clock of the stamps and the movement relative to the machine's: with 0.5 there is twice as much "
        "time for each frame, as on a machine that is twice as fast",
        minimum=0.05,
        maximum=1.0,
    )
    ahead_s: float = setting(
        0.0,
        "Length of the motion that is rendered before the camera starts and kept in memory (46 MB a second at 30 Hz), "
        "so that rendering takes no CPU time from the nodes; 0: each image is rendered just before it is due [s]",
        minimum=0.0,
        maximum=120.0,
    )
