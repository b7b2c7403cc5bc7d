"""Plausibility of surfaces: people in any posture pass; screens, glass and crowds of surfaces do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.silhouette.candidates import largest_extent_m, measured_people
from rehab_pose.silhouette.depth_people import PeopleImage
from rehab_pose.silhouette.proposals import HOLD_FRAMES, Proposer
from rehab_pose.silhouette.settings import SilhouetteSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

CAMERA = CameraIntrinsics(160, 120, 115.0, 115.0, 79.5, 59.5)
UNKNOWN = np.full(4, np.nan)


def people(depth_m: NDArray[np.float32], inside: NDArray[np.bool_], turns: int = 0) -> PeopleImage:
    return PeopleImage(
        turns=turns,
        labels=inside.astype(np.int32),
        probability=inside.astype(np.float32),
        depth_m=depth_m,
        points_m=CAMERA.back_project_image(depth_m),
        rows=np.arange(120),
        columns=np.arange(160),
        intrinsics=CAMERA,
    )


def cylinder(rows: slice, columns: slice, distance_m: float) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the depth image of a rounded surface in front of nothing, and its pixels."""
    inside = np.zeros((120, 160), np.bool_)
    inside[rows, columns] = True
    across = np.arange(160) if rows.stop - rows.start > columns.stop - columns.start else np.arange(120)[:, None]
    middle = (columns.start + columns.stop) / 2 if across.ndim == 1 else (rows.start + rows.stop) / 2
    width = min(rows.stop - rows.start, columns.stop - columns.start) / 2
    relief = 0.15 * np.square((across - middle) / width)
    return np.where(inside, distance_m + relief, np.nan).astype(np.float32), inside


def problem(depth_m: NDArray[np.float32], inside: NDArray[np.bool_], **settings: float) -> str:
    [entry] = measured_people(people(depth_m, inside), SilhouetteSettings(**settings))  # type: ignore[arg-type]
    return entry.problem


@pytest.mark.parametrize(
    ("rows", "columns", "distance_m"),
    [
        (slice(20, 110), slice(70, 95), 2.2),  # standing
        (slice(70, 92), slice(30, 125), 2.2),  # lying
        (slice(40, 66), slice(66, 92), 2.2),  # head and shoulders behind a table
        (slice(0, 120), slice(50, 110), 0.9),  # cut at the hips, near
        (slice(45, 85), slice(72, 84), 4.9),  # far
    ],
)
def test_people_in_any_posture_pass(rows: slice, columns: slice, distance_m: float) -> None:
    assert problem(*cylinder(rows, columns, distance_m)) == ""


def test_a_screen_is_flat() -> None:
    depth, inside = cylinder(slice(20, 110), slice(60, 100), 2.0)
    noise = 0.008 * np.random.default_rng(1).normal(size=depth.shape)
    slanted = 2.0 + 0.004 * np.arange(160) + noise
    assert "flat" in problem(np.where(inside, slanted, np.nan).astype(np.float32), inside)


def test_glass_gives_few_or_scattered_returns() -> None:
    depth, inside = cylinder(slice(20, 110), slice(60, 100), 2.0)
    random = np.random.default_rng(2)
    few = np.where(random.uniform(size=depth.shape) < 0.3, depth, np.nan).astype(np.float32)
    assert "give a return" in problem(few, inside)
    scattered = np.where(inside, random.uniform(1.6, 2.6, depth.shape), np.nan).astype(np.float32)
    assert "scattered" in problem(scattered, inside)


def test_size_and_distance_are_limited() -> None:
    assert "away" in problem(*cylinder(slice(20, 110), slice(70, 95), 5.5))
    assert "large" in problem(*cylinder(slice(50, 60), slice(70, 82), 1.5))
    assert "more than a person" in problem(*cylinder(slice(20, 60), slice(2, 158), 3.0))


def test_the_extent_is_measured_in_any_direction() -> None:
    along = np.linspace(0.0, 1.7, 2000)[:, None] * np.array([0.6, 0.64, 0.48])
    assert largest_extent_m(along.astype(np.float32)) == pytest.approx(1.7, abs=0.06)


def test_surfaces_with_relief_are_proposed_in_turn_and_then_the_whole_image() -> None:
    depth, _ = cylinder(slice(20, 110), slice(20, 45), 2.2)
    other, inside = cylinder(slice(40, 100), slice(100, 120), 2.2)
    depth = np.where(inside, other, depth)
    wall = np.s_[0:120, 140:160]
    depth[wall] = 2.0
    proposer = Proposer()
    seen: list[NDArray[np.bool_]] = []
    image = people(depth, np.zeros((120, 160), np.bool_))
    for _ in range(3):
        proposed = None
        for _ in range(HOLD_FRAMES):
            proposed = proposer.propose(image, [], UNKNOWN)
        assert proposed is not None
        seen.append(proposed)
    assert seen[0][:, 20:45].any()
    assert not seen[0][:, 100:].any()
    assert seen[1][:, 100:120].any()
    assert not seen[1][wall].any()
    assert seen[2][wall].any()
    assert proposer.propose(people(np.full_like(depth, np.nan), image.labels > 0), [], UNKNOWN) is None
