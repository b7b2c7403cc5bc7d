"""Shapes of the spine, the rib cage and the pelvis, in the body's axes at rest.

Sizes are an average adult's (Gray's Anatomy, 41st ed.; vertebrae after Panjabi et al. 1991-92) times the scale.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.bones.layout import rib_path
from rehab_pose.bones.proportions import RIBS
from rehab_pose.bones.shapes import blob, joined, slab, smooth_path, tube

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.bones.fit import Skin
    from rehab_pose.bones.shapes import Shape

__all__ = ["hip_bone", "rib", "sacrum", "sternum", "vertebra"]

FIRST_FALSE_RIB, FIRST_FLOATING_RIB = 8, 11
"""Ribs from the first have no cartilage of their own to the sternum; from the second they have none at all."""
PROMINENT, STEEP_SPINES, STEEP = 7, range(3, 11), -0.5
"""The cervical vertebra with the long spinous process; thoracic vertebrae whose spinous processes descend steeply;
slope below which a process counts as steep."""


def vertebra(name: str, start_m: NDArray[Any], axes: NDArray[Any], height_m: float, scale: float) -> Shape:
    """Return a vertebra: body, arch, spinous, transverse and articular processes.

    Args:
        name: C7 to L1.
        start_m: (3) middle of its lower end [m].
        axes: (3, 3) columns: left, up, front.
        height_m: Height with the disc above it [m].
        scale: Size of the person.
    """
    region, h = name[0], height_m
    sizes, slope = _vertebra_sizes(region, int(name[1:]))
    wide, deep, back, spinous, across = (value * scale for value in sizes)
    middle = 0.45 * h
    levels = np.array([0.06, 0.12, 0.42, 0.72, 0.78]) * h
    waist = np.array([0.95, 1.0, 0.86, 1.0, 0.95])
    path = np.stack([np.zeros(5), levels, np.zeros(5)], axis=1)
    thick = (0.0042 if region == "L" else 0.0032) * scale
    rear = -deep - back
    parts = [_disc(path, waist[:, None] * [wide, deep])]
    arch_wide = 0.55 * wide if region != "C" else 0.95 * wide
    for sign in (1.0, -1.0):
        arch = [
            [sign * arch_wide, middle, -0.8 * deep],
            [sign * arch_wide, middle, -deep - 0.4 * back],
            [0.0, middle, rear],
        ]
        parts.append(tube(smooth_path(arch, 5), [(thick, 1.3 * thick)] * 5, sides=6))
        root = [sign * arch_wide, middle, -deep - 0.45 * back]
        tip = [sign * across, middle + 0.05 * h, -deep - (0.5 if region != "T" else 1.1) * back]
        if region == "C":
            tip[2] = -0.6 * deep
        parts.append(tube(smooth_path([root, tip], 3), np.array([1.0, 0.82, 0.9]) * thick, wide=(0, 1, 0), sides=6))
        places = ([sign * 0.9 * arch_wide, end * h, -deep - 0.6 * back] for end in (0.0, 0.86))
        parts.extend(blob(place, [thick, 0.2 * h, thick], sides=6) for place in places)
    tall = {"L": 0.28 * h, "T": 0.16 * h, "C": 0.14 * h}[region]
    end = [0.0, middle + slope * spinous, rear - spinous * (0.9 if slope < STEEP else 1.0)]
    spine = smooth_path([[0.0, middle, rear + 0.5 * thick], end], 3)
    parts.append(tube(spine, np.stack([np.full(3, 0.75 * thick), np.linspace(0.8, 1.0, 3) * tall], 1), sides=6))
    shape = joined(parts)
    return _placed(shape, start_m, axes)


def _vertebra_sizes(region: str, number: int) -> tuple[tuple[float, float, float, float, float], float]:
    """Return sizes [m] and the slope of the spinous process.

    Half-width and half-depth of the body, depth of the arch, length of the spinous process, half-span of the transverse
    processes.
    """
    if region == "L":
        return (0.024, 0.0165, 0.014, 0.022, 0.040), -0.1
    if region == "T":
        grow = (number - 1) / 11.0
        slope = -0.9 if number in STEEP_SPINES else -0.35
        return (0.0135 + 0.007 * grow, 0.011 + 0.005 * grow, 0.013, 0.024, 0.030 - 0.008 * grow), slope
    if number == 1:
        return (0.007, 0.004, 0.012, 0.003, 0.033), -0.4
    return (0.0115, 0.008, 0.012, 0.020 if number == PROMINENT else 0.011, 0.023), -0.4


def _disc(path: NDArray[Any], radii: NDArray[Any]) -> Shape:
    """Return a tube with flat ends: its round ends are flattened into the first and last section."""
    shape = tube(path, radii, sides=10)
    vertices = shape.vertices_m.copy()
    vertices[:, 1] = np.clip(vertices[:, 1], path[0, 1], path[-1, 1])
    return type(shape)(vertices, shape.faces, shape.cores_m)


def _placed(shape: Shape, origin_m: NDArray[Any], axes: NDArray[Any]) -> Shape:
    """Return a shape with its axes rotated to `axes` (3, 3) and its origin moved to `origin_m` (3)."""
    return type(shape)(shape.vertices_m @ axes.T + origin_m, shape.faces, shape.cores_m @ axes.T + origin_m)


def sacrum(start_m: NDArray[Any], scale: float) -> Shape:
    """Return sacrum and coccyx: a wedge, hollow in front, with a crest behind."""
    s = scale
    line = smooth_path(
        start_m
        + s
        * np.array(
            [[0, -0.002, 0.0], [0, -0.025, -0.011], [0, -0.05, -0.024], [0, -0.075, -0.031], [0, -0.098, -0.030]]
        ),
        11,
    )
    widths = np.interp(np.linspace(0, 1, 11), [0, 0.15, 0.45, 0.75, 1.0], [0.034, 0.048, 0.043, 0.027, 0.013])
    depths = np.interp(np.linspace(0, 1, 11), [0, 0.15, 0.5, 0.8, 1.0], [0.017, 0.016, 0.011, 0.008, 0.005])
    parts = [tube(line, s * np.stack([widths, depths], axis=1), sides=14)]
    knobs = (line[step] + s * np.array([0, 0, -0.014 + 0.0011 * step]) for step in (1, 3, 5, 7))
    parts.extend(blob(knob, s * np.array([0.003, 0.007, 0.005]), sides=6) for knob in knobs)
    tail = smooth_path(line[-1] + s * np.array([[0, 0, 0], [0, -0.016, 0.004], [0, -0.03, 0.014]]), 6)
    parts.append(tube(tail, s * np.array([0.011, 0.009, 0.0085, 0.006, 0.006, 0.004]), sides=8))
    return joined(parts)


def hip_bone(hip_m: NDArray[Any], middle_x_m: float, scale: float) -> Shape:
    """Return the left hip bone: iliac wing, cup of the hip, ischium and the two branches of the pubis.

    Args:
        hip_m: (3) left hip joint [m].
        middle_x_m: x of the midline [m].
        scale: Size of the person.
    """
    s = scale
    inward = hip_m[0] - middle_x_m

    def at(points: object) -> NDArray[np.float64]:
        """Return points given from the hip joint; x is scaled with the hip's distance from the midline over 0.09 m."""
        return np.asarray(hip_m + np.array(points) * [inward / 0.09, s, s])

    crest = smooth_path(
        [
            [0.030, 0.070, 0.046],
            [0.044, 0.104, 0.030],
            [0.046, 0.124, 0.0],
            [0.024, 0.124, -0.034],
            [-0.018, 0.108, -0.054],
            [-0.048, 0.082, -0.056],
        ],
        15,
    )
    foot = smooth_path(
        [
            [0.010, 0.036, 0.034],
            [0.014, 0.030, 0.016],
            [0.012, 0.028, -0.004],
            [-0.002, 0.026, -0.024],
            [-0.030, 0.040, -0.042],
            [-0.046, 0.058, -0.048],
        ],
        15,
    )
    fraction = np.linspace(0.0, 1.0, 7)[:, None, None]
    wing = (1.0 - fraction) * foot + fraction * crest
    wing[..., 0] -= 0.010 * np.sin(np.pi * fraction[..., 0]) * np.sin(np.linspace(0.15, np.pi, 15))
    thickness = np.full((7, 15), 0.0038)
    thickness[-2:] = [[0.0050], [0.0062]]
    thickness[0] = 0.007
    parts = [slab(at(wing), s * thickness)]
    parts.append(tube(at(crest), s * 0.0068 * np.ones(15), sides=8))
    angle = np.radians(np.linspace(-60.0, 240.0, 15))
    rim = np.stack([0.010 - 0.004 * np.sin(angle), 0.0285 * np.sin(angle), 0.004 + 0.0285 * np.cos(angle)], axis=1)
    parts.append(tube(at(rim), s * np.array([0.0095, 0.0075])[None].repeat(15, 0), wide=(1, 0, 0), sides=8))
    parts.append(blob(at([-0.026, 0.002, 0.0]), s * np.array([0.008, 0.027, 0.026])))
    parts.append(blob(at([0.004, 0.034, 0.006]), s * np.array([0.012, 0.014, 0.022])))
    seat = smooth_path(
        [[-0.014, 0.0, -0.024], [-0.018, -0.03, -0.026], [-0.020, -0.058, -0.022], [-0.030, -0.076, -0.006]], 9
    )
    parts.append(
        tube(at(seat), s * np.array([0.012, 0.012, 0.0115, 0.012, 0.013, 0.0145, 0.0145, 0.012, 0.009]), sides=10)
    )
    low = smooth_path([[-0.030, -0.074, -0.004], [-0.052, -0.062, 0.018], [-0.074, -0.040, 0.036]], 8)
    parts.append(tube(at(low), s * np.repeat([[0.0052, 0.0085]], 8, axis=0), sides=8))
    high = smooth_path(
        [[-0.012, 0.006, 0.022], [-0.038, 0.006, 0.038], [-0.064, -0.006, 0.044], [-0.078, -0.016, 0.044]], 9
    )
    parts.append(tube(at(high), s * np.linspace(0.011, 0.0078, 9), sides=8))
    body = smooth_path([[-0.081, -0.008, 0.043], [-0.081, -0.026, 0.041], [-0.079, -0.042, 0.036]], 5)
    parts.append(tube(at(body), s * np.repeat([[0.0065, 0.0075]], 5, axis=0), sides=8))
    return joined(parts)


def rib(number: int, vertebra_m: NDArray[Any], sternum_m: NDArray[Any], scale: float, skin: Skin) -> Shape:
    """Return a left rib with its head, and the cartilage that joins it to the sternum.

    Args:
        number: 1 to 12.
        vertebra_m: (3) lower end of its vertebra [m].
        sternum_m: (2, 3) upper and lower end of the sternum [m].
        scale: Size of the person.
        skin: The skin at rest.
    """
    s = scale
    path = skin.settle(rib_path(RIBS[number - 1], vertebra_m, s, 1.0), 0.012 * s)
    head = vertebra_m + s * np.array([0.014, 0.010, -0.010])
    path = np.concatenate([smooth_path([head, path[0]], 4)[:-1], path])
    thin, tall = (0.0062, 0.0032) if number == 1 else (0.0036, 0.0066)
    fade = np.interp(np.linspace(0, 1, len(path)), [0, 0.08, 0.15, 0.9, 1.0], [1.0, 0.8, 1.0, 1.0, 0.85])
    parts = [tube(path, s * fade[:, None] * [tall, thin], wide=(0.0, 1.0, 0.0), sides=6)]
    if number < FIRST_FLOATING_RIB:
        fraction = (min(number, 7) - 1) / 6.0 * 0.86 + 0.04
        target = sternum_m[0] + fraction * (sternum_m[1] - sternum_m[0])
        target = target + s * np.array([0.016 if number < FIRST_FALSE_RIB else 0.022 + 0.013 * (number - 7), 0.0, 0.0])
        if number >= FIRST_FALSE_RIB:
            target = target + s * np.array([0.0, -0.010 - 0.020 * (number - 7), -0.004 * (number - 7)])
        bow = 0.5 * (path[-1] + target) + s * np.array([0.004, -0.012 if number > 2 else 0.0, 0.006])
        line = skin.settle(smooth_path([path[-1], bow, target], 6), 0.010 * s)
        parts.append(tube(line, s * np.array([0.0052, 0.0040]) * np.ones((6, 1)), wide=(0.0, 1.0, 0.0), sides=6))
    return joined(parts)


def sternum(start_m: NDArray[Any], end_m: NDArray[Any], scale: float) -> Shape:
    """Return manubrium, body and xiphoid process."""
    fraction = np.array([0.0, 0.06, 0.16, 0.25, 0.29, 0.36, 0.5, 0.65, 0.76, 0.82, 0.9, 1.0])
    widths = np.array([0.020, 0.028, 0.025, 0.016, 0.014, 0.0155, 0.018, 0.019, 0.015, 0.007, 0.006, 0.004])
    line = start_m + fraction[:, None] * (end_m - start_m)
    line[:, 2] += scale * 0.004 * np.sin(np.pi * fraction)
    depths = np.interp(fraction, [0, 0.7, 0.85, 1.0], [0.0065, 0.0055, 0.0035, 0.003])
    return tube(line, scale * np.stack([widths, depths], axis=1), sides=14)
