"""Looks at the people in view from time to time: who they are, and whom to follow."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.geometry.floor import height_above_floor_m
from rehab_pose.geometry.gravity import is_known, turned_points
from rehab_pose.silhouette.appearance import Appearance, appearance_of
from rehab_pose.silhouette.people_register import Look, PeopleRegister
from rehab_pose.silhouette.subject_selection import SubjectSelector
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import RgbdFrame, SeenPerson, Silhouette
    from rehab_pose.silhouette.depth_people import PeopleImage
    from rehab_pose.silhouette.settings import SilhouetteSettings
    from rehab_pose.silhouette.subject_selection import Candidate

__all__ = ["PeopleWatch"]

PERIOD_S = 0.5
"""Time from one look to the next [s]: a look at everybody takes as long as a frame's depth network."""
STRIDE_PX = 4
"""Every n-th row and column of the subject's silhouette is looked at."""


class PeopleWatch:
    """Knows the people that were seen, and selects the subject among them.

    Attributes:
        selector: Selects and follows the subject.
        wanted: True while the list of people is read, so that everybody is looked at also while the subject is
            followed in colour.
    """

    def __init__(self, settings: SilhouetteSettings) -> None:
        self.selector = SubjectSelector(settings)
        self.wanted = False
        self._register = PeopleRegister()
        self._requested: deque[SeenPerson] = deque(maxlen=1)
        self._listed: tuple[int, tuple[SeenPerson, ...]] | None = None
        self._everybody_ns: int | None = None
        self._subject_ns: int | None = None

    @property
    def people(self) -> tuple[SeenPerson, ...]:
        """Everybody who was seen, by number."""
        followed_id, listed = self.selector.person_id, self._listed  # read once: a service asks from its own thread
        if listed is None or listed[0] != followed_id:
            self._listed = listed = followed_id, self._register.people(followed_id)
        return listed[1]

    def reset(self) -> None:
        """Forget everybody (time jumped back, or another camera)."""
        self.selector.reset()
        self._register.reset()
        self._requested.clear()
        self._listed = None
        self._everybody_ns = self._subject_ns = None

    def choose(self, person: SeenPerson) -> None:
        """Make a person the subject from the next frame on; may be called by any thread."""
        self._requested.append(person)

    def apply_choice(self, stamp_ns: int) -> None:
        """Make the person of `choose` the subject, at the beginning of a frame with this stamp [ns]."""
        while self._requested:
            person = self._requested.popleft()
            # One who is not in view is waited for from now on.
            self.selector.choose(person.person_id, person.position_m, stamp_ns)
            self._everybody_ns = None

    def everybody_is_due(self, stamp_ns: int) -> bool:
        """Return whether everybody has to be looked at in a frame in which the subject was found in colour."""
        return (self.wanted or self.selector.compares) and _is_due(self._everybody_ns, stamp_ns)

    def identified(
        self,
        frame: RgbdFrame,
        people: PeopleImage,
        candidates: list[Candidate],
        up: NDArray[np.float64],
        floor_plane: NDArray[np.float64],
    ) -> list[Candidate]:
        """Return the people of a frame with their numbers, at every look; else without.

        Args:
            frame: Colour and depth.
            people: The people in the reduced image of the frame.
            candidates: Those among them that can be people.
            up: (3) against gravity; NaN = unknown.
            floor_plane: (4) as in `FloorPlane.plane`; NaN = unknown.
        """
        if not (_is_due(self._everybody_ns, frame.stamp_ns) or self.selector.is_missing(frame.stamp_ns)):
            return candidates
        self._everybody_ns = frame.stamp_ns
        color = np.rot90(frame.color[np.ix_(people.rows, people.columns)], people.turns)
        looks = []
        for candidate in candidates:
            inside = (people.labels == candidate.label) & np.isfinite(people.depth_m)
            points_m = turned_points(people.points_m[inside], -people.turns)
            looks.append(Look(candidate.centre_m, _appearance(color[inside], points_m, up, floor_plane)))
        numbers = self._observed(looks, frame.stamp_ns, everybody=True)
        known = [replace(one, person_id=number) for one, number in zip(candidates, numbers, strict=True)]
        self.selector.compare(known, frame.stamp_ns)
        return known

    def look_at_subject(self, silhouette: Silhouette, floor_plane: NDArray[np.float64]) -> None:
        """Learn what the subject looks like, from a frame in which it was found in colour.

        Args:
            silhouette: The subject.
            floor_plane: (4) as in `FloorPlane.plane`; NaN = unknown.
        """
        if not _is_due(self._subject_ns, silhouette.stamp_ns):
            return
        self._subject_ns = silhouette.stamp_ns
        depth_m = silhouette.depth_m[::STRIDE_PX, ::STRIDE_PX]
        rows, columns = np.nonzero(np.isfinite(depth_m))
        x, y = silhouette.box_px[:2]
        pixels = np.column_stack([columns * STRIDE_PX + x, rows * STRIDE_PX + y]).astype(np.float64)
        points_m = silhouette.intrinsics.back_project(pixels, depth_m[rows, columns])
        if not len(points_m):
            return
        color = silhouette.color[::STRIDE_PX, ::STRIDE_PX][rows, columns]
        centre_m = np.median(points_m, axis=0).astype(np.float64)
        look = Look(centre_m, _appearance(color, points_m, silhouette.up, floor_plane))
        (number,) = self._observed([look], silhouette.stamp_ns, everybody=False)
        self.selector.confirm(centre_m, silhouette.stamp_ns, number)

    def _observed(self, looks: list[Look], stamp_ns: int, *, everybody: bool) -> list[int]:
        """Enter people in the register; return the number of each."""
        self._listed = None
        return self._register.observe(looks, stamp_ns, everybody=everybody)


def _is_due(last_ns: int | None, stamp_ns: int) -> bool:
    return last_ns is None or not 0 <= stamp_ns - last_ns < PERIOD_S * NS_PER_S


def _appearance(
    color: NDArray[np.uint8],
    points_m: NDArray[np.floating],
    up: NDArray[np.float64],
    floor_plane: NDArray[np.float64],
) -> Appearance | None:
    """Return the appearance of points (N, 3) [m] with their colours (N, 3)."""
    above_floor = bool(np.isfinite(floor_plane).all())
    upward = up if is_known(up) else np.array([0.0, -1.0, 0.0])
    height_m = height_above_floor_m(points_m, floor_plane) if above_floor else points_m @ upward
    sideways = np.cross(upward, [0.0, 0.0, 1.0])
    length = np.linalg.norm(sideways)
    # For a camera that looks straight up or down any horizontal direction will do.
    side_m = points_m @ (sideways / length if length > 1e-6 else np.array([1.0, 0.0, 0.0]))
    return appearance_of(color, side_m, height_m, above_floor=above_floor)
