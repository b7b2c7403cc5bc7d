"""Scenes of the postures of rehabilitation, and of cameras that are turned, tilted, near or far."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rehab_pose_lab.benchmarks.perception_scenes import FIRST_SEED, FIRST_SHAPE_SEED, FOCAL_PX, WALL_BEHIND_M
from rehab_pose_sim.settings import POSTURE_CHOICES, SimulationSettings

__all__ = ["PostureScene", "attitude_scenes", "posture_scenes"]

SEED_OFFSET = 200
"""Distance of these scenes' seeds from the first ones of the perception benchmark; no training uses them either."""
KINECT_RANGE_M = 4.0
"""Distance up to which the simulated Kinect sees all of a person [m]; it has no returns from 4.5 m on."""
RATE_HZ = 15.0
"""Frame rate, so that a few frames show a good part of a movement [Hz]."""
SECONDS = 6.0
"""Length of a scripted movement [s]."""


@dataclass(frozen=True)
class PostureScene:
    """One person in front of one camera."""

    name: str
    """Name of the row of the table; scenes of the same name are evaluated together."""
    settings: SimulationSettings


# Noise, camera height [m], distance [m], yaw [deg], clothes [m]: every posture is seen in each of these ways.
_VIEWS = (("realsense", 1.2, 2.4, 0.0, 0.01), ("kinect", 0.9, 2.8, 25.0, 0.02))
# Name, roll [deg], pitch [deg], distance [m], camera height [m]; the height is chosen by the simulator where it is 0.
_ATTITUDES = (
    ("upright", 0.0, 3.0, 2.6, 1.2),
    ("roll +90", 90.0, 3.0, 2.6, 1.2),
    ("roll -90", -90.0, 3.0, 2.6, 1.2),
    ("roll 180", 180.0, 3.0, 2.6, 1.2),
    ("roll +90, pitch 30", 90.0, 30.0, 2.4, 0.0),
    ("roll +90, no floor", 90.0, 0.0, 1.4, 1.2),
    ("pitch 30", 0.0, 30.0, 2.4, 0.0),
    ("pitch 45", 0.0, 45.0, 2.0, 0.0),
    ("pitch 60", 0.0, 60.0, 1.4, 0.0),
    ("0.8 m, cut at hips", 0.0, 0.0, 0.8, 1.4),
    ("1.2 m, cut at knees", 0.0, 0.0, 1.2, 1.2),
    ("3.5 m", 0.0, 3.0, 3.5, 1.2),
    ("5 m", 0.0, 3.0, 5.0, 1.2),
)


def posture_scenes() -> tuple[PostureScene, ...]:
    """Return two scenes per posture, without the direction of gravity; the result is always the same."""
    return tuple(
        PostureScene(
            posture,
            replace(
                _settings(2 * number + view, noise, distance_m),
                posture=posture,
                camera_height_m=height_m,
                yaw_deg=yaw_deg,
                aim="pitch",
                clothing_m=clothing_m,
            ),
        )
        for number, posture in enumerate(POSTURE_CHOICES)
        for view, (noise, height_m, distance_m, yaw_deg, clothing_m) in enumerate(_VIEWS)
    )


def attitude_scenes() -> tuple[PostureScene, ...]:
    """Return one scene per attitude of the camera; the result is always the same."""
    return tuple(
        PostureScene(
            name,
            replace(
                _settings(100 + number, _noise(number, distance_m), distance_m),
                roll_deg=roll_deg,
                pitch_deg=pitch_deg,
                camera_height_m=height_m or SimulationSettings().camera_height_m,
                aim="none" if height_m else "height",
                imu=True,
            ),
        )
        for number, (name, roll_deg, pitch_deg, distance_m, height_m) in enumerate(_ATTITUDES)
    )


def _noise(number: int, distance_m: float) -> str:
    """Return the sensor of an attitude's scene: both in turn, where a Kinect reaches the person."""
    return "kinect" if number % 2 and distance_m < KINECT_RANGE_M else "realsense"


def _settings(number: int, noise: str, distance_m: float) -> SimulationSettings:
    """Return the settings that all scenes have in common, with random numbers of their own."""
    return SimulationSettings(
        exercise="arm_lifting",
        seconds_per_exercise=SECONDS,
        gap_s=0.0,
        rate_hz=RATE_HZ,
        fx=FOCAL_PX[noise],
        fy=FOCAL_PX[noise],
        seed=FIRST_SEED + SEED_OFFSET + number,
        shape_seed=FIRST_SHAPE_SEED + SEED_OFFSET + number,
        background_seed=FIRST_SEED + SEED_OFFSET + number,
        distance_m=distance_m,
        wall_distance_m=distance_m + WALL_BEHIND_M,
        noise=noise,
    )
