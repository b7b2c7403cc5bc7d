"""Classical keypoints on the person's box (Ashraf et al. 2025, section 3.1.4).

Detectors scan the whole image whatever region of interest they are given, so they get the box alone, at half
resolution by default; positions come back in pixels of the whole image. Points off the person are no keypoints of the
person: the detectors are masked with the silhouette, and what they still put outside is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from rehab_pose.datatypes import KeypointFamily, Keypoints, Silhouette
from rehab_pose.keypoints.medial_axis import end_and_branch_points
from rehab_pose.keypoints.settings import KeypointSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["KeypointDetector"]

CORNER_QUALITY = 0.01
"""Corners weaker than this fraction of the strongest are left out (OpenCV's tutorial value)."""
CORNER_DISTANCE_PX = 3.0
HARRIS_K = 0.04
"""Harris and Stephens (1988): det M - k (trace M)^2."""
MINIMUM_SIDE_PX = 16
"""The descriptors' smallest support; a smaller box gets contour and skeleton points only."""
CONTEXT_PX = 16
"""Black margin around the box for the binary descriptors, which need their whole support inside the image and would
find next to nothing on a narrow person [px in the detectors' resolution]."""
ORB_EDGE_PX = 8
"""ORB's own margin: with its default of 31 px a standing person at half resolution has no inside left [px]."""
UNORIENTED = -1.0
"""OpenCV's angle for points without one [deg]."""
OUTSIDE_PX = 2
"""A point this far outside the silhouette, to the nearest pixel, is still on its border [px]."""
DEPTH_REACH_PX = 1
"""Depth at a point is the median over 3 x 3 pixels: a corner lies on an edge, where single pixels have no return."""


class KeypointDetector:
    """Runs the chosen detectors on one silhouette."""

    def __init__(self, settings: KeypointSettings | None = None) -> None:
        self._settings = settings or KeypointSettings()
        count = self._settings.maximum_points
        self._detectors: dict[str, Any] = {}
        if self._settings.orb:
            self._detectors["orb"] = cv2.ORB.create(nfeatures=count, edgeThreshold=ORB_EDGE_PX)
        if self._settings.brisk:
            self._detectors["brisk"] = cv2.BRISK.create()
        if self._settings.sift:
            self._detectors["sift"] = cv2.SIFT.create(nfeatures=count)
        if self._settings.akaze:
            self._detectors["akaze"] = cv2.AKAZE.create()
        # Loads the compiled kernel now rather than at the first frame.
        end_and_branch_points(np.zeros((4, 4), dtype=np.bool_))
        self._dropped = 0

    @property
    def dropped_points(self) -> int:
        """How many points of the last silhouette were left out because they lay off the person."""
        return self._dropped

    def reset(self) -> None:
        """Do nothing: each frame stands alone."""

    def process(self, item: Silhouette | None) -> Keypoints | None:
        """Return the keypoints of a silhouette, None without one."""
        return None if item is None else self.detect(item)

    def detect(self, silhouette: Silhouette) -> Keypoints:
        """Return the keypoints of one person, one family a detector, in the settings' order."""
        box = _Box(silhouette, half=self._settings.half_resolution)
        found: list[_Found] = []
        if self._settings.contour:
            found.append(_Found("contour", self._contour(silhouette.inside), scale=1.0))
        large_enough = min(box.gray.shape) >= MINIMUM_SIDE_PX
        for name, wanted in (("harris", self._settings.harris), ("shi_tomasi", self._settings.shi_tomasi)):
            if wanted:
                points, response = self._corners(box, harris=name == "harris") if large_enough else _nothing()
                found.append(_Found(name, points, box.scale, response=response))
        for name, detector in self._detectors.items():
            found.append(self._described(box, name, detector) if large_enough else _Found(name, _nothing()[0]))
        if self._settings.skeleton:
            ends, branches = end_and_branch_points(box.inside)
            found.append(_Found("skeleton_end", ends, box.scale))
            found.append(_Found("skeleton_branch", branches, box.scale))
        families, self._dropped = box.families(found)
        return Keypoints(stamp_ns=silhouette.stamp_ns, frame_id=silhouette.frame_id, families=families)

    def _contour(self, inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not contours:
            return np.empty((0, 2), np.float32)
        outline = max(contours, key=len)
        tolerance = self._settings.contour_tolerance * cv2.arcLength(outline, closed=True)
        corners = cv2.approxPolyDP(outline, tolerance, closed=True)
        return corners.reshape(-1, 2).astype(np.float32)[: self._settings.maximum_points]

    def _corners(self, box: _Box, *, harris: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return corners (K, 2) and their response (K): Harris's or the smaller eigenvalue, as cv2.cornerHarris's."""
        # OpenCV's stubs do not say that it gives None where there is no corner at all.
        found: Any = cv2.goodFeaturesToTrackWithQuality(
            box.gray,
            self._settings.maximum_points,
            CORNER_QUALITY,
            CORNER_DISTANCE_PX,
            box.mask,
            useHarrisDetector=harris,
            k=HARRIS_K,
        )
        corners, quality = found
        if corners is None:
            return _nothing()
        return corners.reshape(-1, 2).astype(np.float32), np.asarray(quality, dtype=np.float32).reshape(-1)

    def _described(self, box: _Box, name: str, detector: Any) -> _Found:  # noqa: ANN401  (OpenCV's Feature2D kinds)
        """Return the strongest points of a detector that also describes what it finds."""
        margin = 0 if name == "sift" else CONTEXT_PX
        image, mask = box.with_margin(margin)
        points, descriptors = detector.detectAndCompute(image, mask)
        order = np.argsort([-point.response for point in points], kind="stable")[: self._settings.maximum_points]
        values = np.array(
            [(*points[i].pt, points[i].size, points[i].angle, points[i].response) for i in order], dtype=np.float32
        ).reshape(-1, 5)
        return _Found(
            name,
            values[:, :2] - np.float32(margin),
            box.scale,
            size_px=values[:, 2] * np.float32(box.scale),
            angle_rad=np.where(values[:, 3] == UNORIENTED, np.float32(np.nan), np.radians(values[:, 3])),
            response=values[:, 4],
            descriptors=None if descriptors is None or not len(order) else descriptors[order],
        )


class _Found(NamedTuple):
    """What one detector found on the box."""

    detector: str
    points: NDArray[np.float32]
    """(K, 2) u, v in the detector's resolution [px]."""
    scale: float = 1.0
    """Pixels of the whole image in one of the detector's."""
    size_px: NDArray[np.float32] | None = None
    angle_rad: NDArray[np.float32] | None = None
    response: NDArray[np.float32] | None = None
    descriptors: NDArray[Any] | None = None


def _nothing() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.empty((0, 2), np.float32), np.empty(0, np.float32)


class _Box:
    """The person's box in the detectors' resolution, and the way back to the whole image."""

    def __init__(self, silhouette: Silhouette, *, half: bool) -> None:
        self._silhouette = silhouette
        self.scale = 2.0 if half else 1.0
        gray: NDArray[Any] = cv2.cvtColor(silhouette.color, cv2.COLOR_RGB2GRAY)
        inside: NDArray[Any] = silhouette.inside.astype(np.uint8)
        margin, reach = OUTSIDE_PX, 2 * OUTSIDE_PX + 1
        padded = cv2.copyMakeBorder(inside, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0)
        self._near = cv2.dilate(padded, np.ones((reach, reach), np.uint8)).astype(np.bool_)
        self._depth_m = np.pad(silhouette.depth_m, DEPTH_REACH_PX, constant_values=np.nan)
        if half:
            height, width = (max(1, side // 2) for side in gray.shape)
            gray = cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA)
            inside = cv2.resize(inside, (width, height), interpolation=cv2.INTER_NEAREST)
        self.gray: NDArray[np.uint8] = gray
        self.inside = inside.astype(np.bool_)
        self.mask: NDArray[np.uint8] = cv2.dilate(inside, np.ones((3, 3), np.uint8)).astype(np.uint8)
        """Where detectors may put points (h, w): one pixel wider than the person."""

    def with_margin(self, margin_px: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the gray image and the mask with a black margin: outside the person there is nothing."""
        sides = (margin_px, margin_px, margin_px, margin_px)
        gray = cv2.copyMakeBorder(self.gray, *sides, cv2.BORDER_CONSTANT, value=0)
        return gray, cv2.copyMakeBorder(self.mask, *sides, cv2.BORDER_CONSTANT, value=0)

    def families(self, found: Sequence[_Found]) -> tuple[tuple[KeypointFamily, ...], int]:
        """Return the points on the person, in pixels of the whole image and with depth, and how many lay off it."""
        ends = np.cumsum([len(entry.points) for entry in found])
        if not found:
            return (), 0
        local = np.concatenate([entry.points * entry.scale + (entry.scale - 1.0) / 2.0 for entry in found])
        on_person, depth_m = self._on_person(local), self._depth_at(local)
        pixels = local + np.array(self._silhouette.box_px[:2], dtype=np.float32)
        families = []
        for entry, end in zip(found, ends, strict=True):
            own = slice(int(end) - len(entry.points), int(end))
            kept = on_person[own]
            unknown = np.full(len(entry.points), np.nan, dtype=np.float32)
            families.append(
                KeypointFamily(
                    detector=entry.detector,
                    pixels=pixels[own][kept],
                    size_px=(unknown if entry.size_px is None else entry.size_px)[kept],
                    angle_rad=(unknown if entry.angle_rad is None else entry.angle_rad)[kept],
                    response=(unknown if entry.response is None else entry.response)[kept],
                    depth_m=depth_m[own][kept],
                    descriptors=None if entry.descriptors is None else entry.descriptors[kept],
                )
            )
        return tuple(families), int(np.count_nonzero(~on_person))

    def _on_person(self, local: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which points (K, 2) [px in the box] lie within OUTSIDE_PX of the silhouette (K)."""
        column, row = np.rint(local).astype(np.intp).T + OUTSIDE_PX
        height, width = self._near.shape
        in_reach = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        return np.asarray(in_reach & self._near[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)])

    def _depth_at(self, local: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the median of the person's depth (K) [m] in 3 x 3 pixels around points (K, 2); NaN where none is."""
        height, width = self._silhouette.inside.shape
        column = np.clip(np.rint(local[:, 0]).astype(np.intp), 0, width - 1) + DEPTH_REACH_PX
        row = np.clip(np.rint(local[:, 1]).astype(np.intp), 0, height - 1) + DEPTH_REACH_PX
        step = np.arange(-DEPTH_REACH_PX, DEPTH_REACH_PX + 1)
        windows = self._depth_m[row[:, None, None] + step[:, None], column[:, None, None] + step]
        windows = windows.reshape(len(row), step.size**2)
        # NaN sorts last: the middle of what was seen is at half its count.
        ordered, seen = np.sort(windows, axis=1), np.isfinite(windows).sum(axis=1)
        place = np.arange(len(row))
        middle = np.float32(0.5) * (ordered[place, np.maximum(seen - 1, 0) // 2] + ordered[place, seen // 2])
        return np.where(seen > 0, middle, np.float32(np.nan)).astype(np.float32)
