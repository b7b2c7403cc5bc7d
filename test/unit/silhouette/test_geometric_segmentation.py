"""Segmentation by geometric rules on scenes of ellipsoids and planes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.silhouette.geometric_segmentation import people_by_geometry

CAMERA = CameraIntrinsics(160, 120, 115.0, 115.0, 79.5, 59.5)
FLOOR = np.array([0.0, -1.0, 0.0, 1.0])
"""A horizontal floor 1 m below the camera."""
Image = NDArray[np.float64]
Ellipsoid = tuple[float, float, float, float, float, float]
"""Centre x, y, z and radii x, y, z [m]."""
PERSON: Ellipsoid = (0.0, 0.1, 2.5, 0.25, 0.85, 0.15)


def rays() -> Image:
    pixels = np.stack(np.meshgrid(np.arange(160), np.arange(120)), axis=-1)
    return CAMERA.back_project(pixels, np.ones((120, 160)))


def scene(*ellipsoids: Ellipsoid, wall_m: float = 4.0) -> tuple[NDArray[np.float32], list[NDArray[np.bool_]]]:
    """Return the depth [m] of ellipsoids in front of a wall on the floor, and the mask of each ellipsoid."""
    directions = rays()
    with np.errstate(divide="ignore"):
        floor_m = np.where(directions[..., 1] > 0, 1.0 / directions[..., 1], np.inf)
    depth_m = np.minimum(floor_m, wall_m)
    owner = np.full(depth_m.shape, -1)
    for index, (x, y, z, *radii) in enumerate(ellipsoids):
        scaled, centre = directions / radii, np.array([x, y, z]) / radii
        a, b, c = (scaled**2).sum(-1), scaled @ centre, centre @ centre - 1.0
        root = b**2 - a * c
        t = np.where(root > 0, (b - np.sqrt(np.maximum(root, 0.0))) / a, np.inf)
        owner[t < depth_m] = index
        depth_m = np.minimum(depth_m, t)
    return depth_m.astype(np.float32), [owner == index for index in range(len(ellipsoids))]


def segment(depth_m: NDArray[np.float32], floor: Image = FLOOR) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    return people_by_geometry(depth_m, CAMERA.back_project_image(depth_m), floor, CAMERA)


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_a_person_in_front_of_a_wall_is_the_only_one() -> None:
    depth_m, [mask] = scene(PERSON)
    people, probability = segment(depth_m)
    assert len(np.unique(people)) == 2
    assert overlap(people > 0, mask) > 0.9
    assert (probability[people > 0] == 1.0).all()
    assert probability[5, 5] == 0.0


def test_two_people_side_by_side_have_different_labels() -> None:
    depth_m, masks = scene((-0.6, 0.1, 2.5, 0.25, 0.85, 0.15), (0.6, 0.1, 2.7, 0.25, 0.85, 0.15))
    people, _ = segment(depth_m)
    labels = [np.bincount(people[mask]).argmax() for mask in masks]
    assert 0 not in labels
    assert labels[0] != labels[1]


@pytest.mark.parametrize(
    "other",
    [
        (0.0, 0.75, 2.5, 0.25, 0.25, 0.25),  # too low: a stool
        (0.0, 0.1, 2.5, 1.4, 0.85, 0.15),  # too wide: a sofa
        (0.0, 0.1, 2.5, 0.4, 0.85, 0.01),  # flat: a door
    ],
)
def test_surfaces_of_another_size_or_shape_are_no_people(other: Ellipsoid) -> None:
    depth_m, _ = scene(other)
    assert not segment(depth_m)[0].any()


def test_an_empty_room_has_no_people() -> None:
    depth_m, _ = scene()
    assert not segment(depth_m)[0].any()
    assert not segment(np.full((120, 160), np.nan, np.float32))[0].any()
