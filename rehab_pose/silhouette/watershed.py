"""Marker-based watershed on RGB-D images (Meyer 1991; Vincent and Soille 1991): labels undecided pixels by flooding.

The cost of a step between neighbouring pixels is computed from their difference in depth, their difference in colour
and missing returns. The cost of a path is its most expensive step, and an undecided pixel takes the label of the marker
with the cheapest path. A smooth surface of any length is therefore crossed at a low cost, and a jump in depth separates
labels at the pixel where it occurs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Queues = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]

__all__ = ["HIGHEST_COST", "LABELS", "OTHER", "PERSON", "READ_COLOR", "READ_DEPTH", "UNDECIDED", "flood"]

PERSON, OTHER, OUTSIDE, UNDECIDED, UNDECIDED_MISSING = 0, 1, 2, 3, 4
"""Labels. Those from UNDECIDED on are undecided; UNDECIDED_MISSING marks pixels without a return."""
LEVELS = 256
"""Costs are integers below this; higher costs are clipped."""
HIGHEST_COST = LEVELS - 1
"""Highest cost of a step."""
COST_PER_M = 200.0
"""Cost of a difference in depth [1/m]: 1 for 5 mm, the noise of a sensor at 2 m."""
COST_PER_COLOR = 1.0
"""Cost of one level of difference in colour, summed over the three channels."""
MISSING_COST = 20.0
"""Cost of a step from or to a pixel without a return: that of a difference of 0.1 m in depth."""
PERSON_MISSING_COST = 20
"""Additional cost of a step of the person to a pixel without a return: skin and clothes usually give a return, while
shadows, glass and surfaces out of range do not."""
ONE, TWO, THREE = np.uint32(1), np.uint32(2), np.uint32(3)
"""Pixels and entries are unsigned, so that no access needs a check for a negative index."""
NO_ENTRY = np.uint32(0)
"""Number of an entry that does not exist; entries are counted from 1."""


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _cost(
    depth_m: NDArray[np.float32], color: NDArray[np.uint8], highest: np.float32, first: np.uint32, second: np.uint32
) -> np.int32:
    """Return the cost of the step between two pixels of the flattened image; depth adds at most `highest`."""
    a, b = THREE * first, THREE * second
    levels = (
        abs(np.int32(color[a]) - np.int32(color[b]))
        + abs(np.int32(color[a + ONE]) - np.int32(color[b + ONE]))
        + abs(np.int32(color[a + TWO]) - np.int32(color[b + TWO]))
    )
    step = abs(depth_m[first] - depth_m[second]) * np.float32(COST_PER_M)
    step = min(step, highest) if step < np.float32(1e6) else np.float32(MISSING_COST)
    return np.int32(min(step + np.float32(COST_PER_COLOR) * np.float32(levels), np.float32(LEVELS - 1)))


@numba.njit(cache=True, nogil=True, inline="always")  # type: ignore[untyped-decorator]
def _neighbour(pixel: np.uint32, width: np.uint32, direction: int) -> np.uint32:
    """Return the neighbour of a pixel in one of the four directions."""
    if direction == 0:
        return pixel + ONE
    if direction == 1:
        return pixel - ONE
    return pixel + width if direction == 2 else pixel - width


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _queue_borders(
    flat: NDArray[np.uint8],
    width: np.uint32,
    depth_m: NDArray[np.float32],
    color: NDArray[np.uint8],
    highest: np.float32,
    queues: Queues,
) -> np.uint32:
    """Queue every undecided pixel that has a decided neighbour; return the number of the next entry.

    Appending an entry is written out here and in `_drain`: as a function it made the flooding 1.3 times slower.
    """
    first, last, following, entries = queues
    used = ONE
    for place in range(flat.shape[0]):
        value = flat[place]
        if value < UNDECIDED:
            continue
        pixel = np.uint32(place)
        extra = np.int32(PERSON_MISSING_COST if value == UNDECIDED_MISSING else 0)
        for direction in range(4):
            neighbour = _neighbour(pixel, width, direction)
            if flat[neighbour] <= OTHER:
                person = flat[neighbour] == PERSON
                level = _cost(depth_m, color, highest, pixel, neighbour) + (extra if person else np.int32(0))
                at = min(level, np.int32(LEVELS - 1))
                entries[used] = TWO * pixel + np.uint32(person)
                following[used] = NO_ENTRY
                if first[at] == NO_ENTRY:
                    first[at] = used
                else:
                    following[last[at]] = used
                last[at] = used
                used += ONE
    return used


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _drain(  # noqa: PLR0917  (compiled code takes arrays, no records)
    flat: NDArray[np.uint8],
    width: np.uint32,
    depth_m: NDArray[np.float32],
    color: NDArray[np.uint8],
    highest: np.float32,
    queues: Queues,
    used: np.uint32,
) -> None:
    """Label the queued pixels and their neighbours in the order of their levels, lowest first."""
    first, last, following, entries = queues
    level = np.int32(0)
    while level < LEVELS:
        entry = first[level]
        if entry == NO_ENTRY:
            level += np.int32(1)
            continue
        first[level] = following[entry]
        pixel, person = entries[entry] >> ONE, (entries[entry] & ONE) == ONE
        if flat[pixel] < UNDECIDED:
            continue
        flat[pixel] = np.uint8(PERSON) if person else np.uint8(OTHER)
        for direction in range(4):
            neighbour = _neighbour(pixel, width, direction)
            value = flat[neighbour]
            if value >= UNDECIDED:
                cost = _cost(depth_m, color, highest, pixel, neighbour)
                if person and value == UNDECIDED_MISSING:
                    cost = min(cost + np.int32(PERSON_MISSING_COST), np.int32(LEVELS - 1))
                at = max(level, cost)
                entries[used] = TWO * neighbour + np.uint32(person)
                following[used] = NO_ENTRY
                if first[at] == NO_ENTRY:
                    first[at] = used
                else:
                    following[last[at]] = used
                last[at] = used
                used += ONE


LABELS = numba.types.Array(numba.uint8, 2, "C")
READ_DEPTH = numba.types.Array(numba.float32, 2, "C", readonly=True)
READ_COLOR = numba.types.Array(numba.uint8, 3, "C", readonly=True)
"""Types of the arguments of `flood`; arrays of records are read-only."""


@numba.njit(numba.void(LABELS, READ_DEPTH, READ_COLOR, numba.float32), cache=True, nogil=True)  # type: ignore[untyped-decorator]
def flood(label: NDArray[np.uint8], depth_m: NDArray[np.float32], color: NDArray[np.uint8], highest: float) -> None:
    """Label every undecided pixel that is connected to a decided one as PERSON or OTHER, in place.

    Pixels of the outermost rows and columns take the label of their inner neighbour.

    Args:
        label: (h, w) UNDECIDED, PERSON or OTHER; changed.
        depth_m: (h, w) [m], NaN = no return.
        color: (h, w, 3).
        highest: Highest cost of a difference in depth; HIGHEST_COST for no limit.
    """
    height, width = label.shape
    if height < 3 or width < 3:
        return
    # With a border that is never entered, no step needs a check of the image limits.
    label[0], label[-1] = OUTSIDE, OUTSIDE
    label[:, 0], label[:, -1] = OUTSIDE, OUTSIDE
    flat, depth = label.ravel(), depth_m.ravel()
    undecided = 0
    for pixel in range(flat.shape[0]):
        if flat[pixel] == UNDECIDED:
            undecided += 1
            if np.isnan(depth[pixel]):
                flat[pixel] = UNDECIDED_MISSING
    # One queue for each level, as linked lists in arrays. A pixel can be queued once from each of its four neighbours;
    # the lowest bit of an entry holds the label of that neighbour.
    capacity = 1 + 4 * undecided
    queues = (
        np.zeros(LEVELS, np.uint32),
        np.zeros(LEVELS, np.uint32),
        np.empty(capacity, np.uint32),
        np.empty(capacity, np.uint32),
    )
    stride = np.uint32(width)
    used = _queue_borders(flat, stride, depth, color.ravel(), np.float32(highest), queues)
    _drain(flat, stride, depth, color.ravel(), np.float32(highest), queues, used)
    label[0], label[-1] = label[1], label[-2]
    label[:, 0], label[:, -1] = label[:, 1], label[:, -2]
