"""Errors of real silhouettes: lost hands and hair, bitten borders, closed gaps between limbs, pieces of furniture.

What is lost is lost because the sensor gave no return there (hair, dark cloth, thin hands) or because a segmenter cut
it off; what is added is a surface at about the person's distance next to the person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["add_real_mask_errors"]

END_FRACTIONS = {"head": 0.12, "hand": 0.1, "foot": 0.06}
"""Fractions of the people who lack the end of a limb, for each of their ends."""
END_RADII = {"head": 0.06, "hand": 0.05, "foot": 0.06}
"""Mean radius of what is lost of each end, as a fraction of the person's extent."""
BITTEN_FRACTION, MAX_BITES = 0.25, 4
"""Fraction of the people with pieces missing at the border, and their largest number."""
LOST_PATCH_FRACTION = 0.15
"""Fraction of the people with a band or a patch of the body missing."""
CLOSED_FRACTION = 0.2
"""Fraction of the people whose gaps between arms and trunk and between the legs are filled."""
FURNITURE_FRACTION, FURNITURE_GAP_M = 0.3, 0.35
"""Fraction of the people with a piece of another surface, and its largest difference in depth from the person [m]."""
SURFACE_PATCH = (0.1, 0.45)
"""Range of the size of an added piece as a fraction of the person's extent."""


def add_real_mask_errors(
    inside: NDArray[np.bool_],
    depth_m: NDArray[np.float32],
    ends_px: dict[str, NDArray[np.float64]],
    random: np.random.Generator,
) -> NDArray[np.bool_]:
    """Return a silhouette (H, W) with errors of real ones.

    Args:
        inside: (H, W) the person's pixels.
        depth_m: (H, W) of the whole scene [m], NaN = no return.
        ends_px: Places (N, 2) in the image of the person's heads, hands and feet, by the keys of END_FRACTIONS [px].
        random: Seeded generator.
    """
    rows, columns = np.nonzero(inside)
    if not len(rows):
        return inside
    extent = float(max(np.ptp(rows), np.ptp(columns))) + 1.0
    mask = inside.astype(np.uint8)
    if random.random() < CLOSED_FRACTION:
        size = 2 * max(1, round(random.uniform(0.01, 0.05) * extent)) + 1
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)).astype(np.uint8)
    if random.random() < FURNITURE_FRACTION:
        mask = _with_furniture(mask, depth_m, extent, random)
    for name, fraction in END_FRACTIONS.items():
        for end in ends_px[name]:
            if random.random() < fraction and np.isfinite(end).all():
                radius = END_RADII[name] * random.uniform(0.5, 1.6) * extent
                axes = (radius, radius * random.uniform(0.5, 1.5))
                _erase(mask, end + random.normal(0.0, 0.3 * radius, 2), axes, random)
    if random.random() < BITTEN_FRACTION:
        border_rows, border_columns = np.nonzero(mask - cv2.erode(mask, np.ones((3, 3), np.uint8)))
        for _ in range(int(random.integers(1, MAX_BITES + 1)) if len(border_rows) else 0):
            pick = int(random.integers(len(border_rows)))
            axes = (random.uniform(0.01, 0.05) * extent, random.uniform(0.01, 0.05) * extent)
            _erase(mask, np.array([border_columns[pick], border_rows[pick]]), axes, random)
    if random.random() < LOST_PATCH_FRACTION:
        pick = int(random.integers(len(rows)))
        axes = (random.uniform(0.02, 0.12) * extent, random.uniform(0.02, 0.12) * extent)
        _erase(mask, np.array([columns[pick], rows[pick]]), axes, random)
    result: NDArray[np.bool_] = mask.astype(np.bool_)
    return result


def _erase(
    mask: NDArray[np.uint8], centre_px: NDArray[np.float64], axes_px: tuple[float, float], random: np.random.Generator
) -> None:
    """Set a turned ellipse of a mask (H, W) to zero."""
    limit = 1 << 14
    centre = tuple(int(value) for value in np.clip(np.rint(centre_px), -limit, limit))
    axes = tuple(max(1, round(value)) for value in axes_px)
    cv2.ellipse(mask, centre, axes, float(random.uniform(0.0, 180.0)), 0.0, 360.0, 0, -1)


def _with_furniture(
    mask: NDArray[np.uint8], depth_m: NDArray[np.float32], extent: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a mask (H, W) with a piece of a surface that touches the person, where there is one at that depth."""
    kernel = np.ones((3, 3), np.uint8)
    ring = cv2.dilate(mask, kernel, iterations=2) - mask
    rows, columns = np.nonzero(ring)
    person_m = depth_m[mask > 0]
    person_m = person_m[np.isfinite(person_m)]
    if not len(rows) or not len(person_m):
        return mask
    pick = int(random.integers(len(rows)))
    size = random.uniform(*SURFACE_PATCH) * extent
    patch = np.zeros_like(mask)
    corner = np.array([columns[pick], rows[pick]]) - random.uniform(0.0, 1.0, 2) * size
    first = tuple(int(value) for value in corner)
    last = tuple(int(value) for value in corner + size * random.uniform(0.4, 1.0, 2))
    cv2.rectangle(patch, first, last, 1, -1)
    with np.errstate(invalid="ignore"):
        near = np.abs(depth_m - np.median(person_m)) < FURNITURE_GAP_M
    result: NDArray[np.uint8] = mask | (patch & near.astype(np.uint8))
    return result
