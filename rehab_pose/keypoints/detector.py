"""Classical keypoints on the person (Ashraf et al. 2025, section 3.1.4).

OpenCV's detectors process the full image even with a mask, so they run on the person's box only, by default at half
resolution. Positions are returned in pixels of the full image. The detectors are masked with the silhouette; points
that are nevertheless outside it are removed.
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
"""Corners weaker than this fraction of the strongest are left out (the value of OpenCV's tutorial)."""
CORNER_DISTANCE_PX = 3.0
"""Smallest distance between two corners [px in the detectors' resolution]."""
HARRIS_K = 0.04
"""k in det M - k (trace M)^2 (Harris and Stephens 1988)."""
MINIMUM_SIDE_PX = 16
"""A box with a smaller side than this support of the descriptors has contour and skeleton points only [px]."""
CONTEXT_PX = 16
"""Black margin around the box for the binary descriptors, whose support has to be inside the image; without it they
find few points on a narrow person [px in the detectors' resolution]."""
ORB_EDGE_PX = 8
"""ORB ignores a border of this size; its default of 31 px would leave nothing of a standing person at half resolution
[px]."""
UNORIENTED = -1.0
"""OpenCV's angle of points without an orientation [deg]."""
OUTSIDE_PX = 2
"""Largest distance outside the silhouette at which a point is kept [px]."""
DEPTH_REACH_PX = 1
"""The depth at a point is the median over 3 x 3 pixels, since single pixels at an edge often have no return [px]."""


class KeypointDetector:
    """Runs the selected detectors on a silhouette."""

    def __init__(self, settings: KeypointSettings | None = None) -> None:
        self._settings = settings or KeypointSettings()
        self._detectors: dict[str, Any] | None = None  # made at the first frame: BRISK's table takes 45 MB
        # Load the compiled kernel now, not at the first frame.
        end_and_branch_points(np.zeros((4, 4), dtype=np.bool_))

    def reset(self) -> None:
        """Do nothing: frames are processed independently."""

    def process(self, item: Silhouette | None) -> Keypoints | None:
        """Return the keypoints of a silhouette, None without one."""
        return None if item is None else self.detect(item)

    def detect(self, silhouette: Silhouette) -> Keypoints:
        """Return the keypoints of one person, one family for each detector, in the order of the settings."""
        if self._detectors is None:
            self._detectors = _opencv_detectors(self._settings)
        box = _Box(silhouette, half=self._settings.half_resolution)
        detections: list[_Detections] = []
        if self._settings.contour:
            detections.append(_Detections("contour", self._contour(silhouette.inside), scale=1.0))
        large_enough = min(box.gray.shape) >= MINIMUM_SIDE_PX
        for name, enabled in (("harris", self._settings.harris), ("shi_tomasi", self._settings.shi_tomasi)):
            if enabled:
                points, response = self._corners(box, harris=name == "harris") if large_enough else _no_points()
                detections.append(_Detections(name, points, box.scale, response=response))
        for name, detector in self._detectors.items():
            detections.append(
                self._described(box, name, detector) if large_enough else _Detections(name, _no_points()[0])
            )
        if self._settings.skeleton:
            ends, branches = end_and_branch_points(box.inside)
            detections.append(_Detections("skeleton_end", ends, box.scale))
            detections.append(_Detections("skeleton_branch", branches, box.scale))
        return Keypoints(stamp_ns=silhouette.stamp_ns, frame_id=silhouette.frame_id, families=box.families(detections))

    def _contour(self, inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not contours:
            return np.empty((0, 2), np.float32)
        outline = max(contours, key=len)
        tolerance = self._settings.contour_tolerance * cv2.arcLength(outline, closed=True)
        corners = cv2.approxPolyDP(outline, tolerance, closed=True)
        return corners.reshape(-1, 2).astype(np.float32)[: self._settings.maximum_points]

    def _corners(self, box: _Box, *, harris: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return corners (K, 2) and their response (K): Harris's measure or the smaller eigenvalue."""
        # OpenCV's stubs omit that the result is None if there is no corner.
        result: Any = cv2.goodFeaturesToTrackWithQuality(
            box.gray,
            self._settings.maximum_points,
            CORNER_QUALITY,
            CORNER_DISTANCE_PX,
            box.mask,
            useHarrisDetector=harris,
            k=HARRIS_K,
        )
        corners, quality = result
        if corners is None:
            return _no_points()
        return corners.reshape(-1, 2).astype(np.float32), np.asarray(quality, dtype=np.float32).reshape(-1)

    def _described(self, box: _Box, name: str, detector: Any) -> _Detections:  # noqa: ANN401  (OpenCV's Feature2D kinds)
        """Return the strongest points of a detector with their descriptors."""
        margin = 0 if name == "sift" else CONTEXT_PX
        image, mask = box.with_margin(margin)
        points, descriptors = detector.detectAndCompute(image, mask)
        order = np.argsort([-point.response for point in points], kind="stable")[: self._settings.maximum_points]
        values = np.array(
            [(*points[i].pt, points[i].size, points[i].angle, points[i].response) for i in order], dtype=np.float32
        ).reshape(-1, 5)
        return _Detections(
            name,
            values[:, :2] - np.float32(margin),
            box.scale,
            size_px=values[:, 2] * np.float32(box.scale),
            angle_rad=np.where(values[:, 3] == UNORIENTED, np.float32(np.nan), np.radians(values[:, 3])),
            response=values[:, 4],
            descriptors=None if descriptors is None or not len(order) else descriptors[order],
        )


def _opencv_detectors(settings: KeypointSettings) -> dict[str, Any]:
    """Return the detectors of OpenCV's classes that the settings choose, by name."""
    count = settings.maximum_points
    detectors: dict[str, Any] = {}
    if settings.orb:
        detectors["orb"] = cv2.ORB.create(nfeatures=count, edgeThreshold=ORB_EDGE_PX)
    if settings.brisk:
        detectors["brisk"] = cv2.BRISK.create()
    if settings.sift:
        detectors["sift"] = cv2.SIFT.create(nfeatures=count)
    if settings.akaze:
        detectors["akaze"] = cv2.AKAZE.create()
    return detectors


class _Detections(NamedTuple):
    """The points of one detector on the box."""

    detector: str
    points: NDArray[np.float32]
    """(K, 2) u, v in the box at the detector's resolution [px]."""
    scale: float = 1.0
    """Pixels of the full image per pixel of the detector's resolution."""
    size_px: NDArray[np.float32] | None = None
    angle_rad: NDArray[np.float32] | None = None
    response: NDArray[np.float32] | None = None
    descriptors: NDArray[Any] | None = None


def _no_points() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.empty((0, 2), np.float32), np.empty(0, np.float32)


class _Box:
    """The person's box at the detectors' resolution, and the transform to the full image."""

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
        """Mask of the detectors (h, w): the person dilated by one pixel."""

    def with_margin(self, margin_px: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the grey image and the mask with a black margin."""
        sides = (margin_px, margin_px, margin_px, margin_px)
        gray = cv2.copyMakeBorder(self.gray, *sides, cv2.BORDER_CONSTANT, value=0)
        return gray, cv2.copyMakeBorder(self.mask, *sides, cv2.BORDER_CONSTANT, value=0)

    def families(self, detections: Sequence[_Detections]) -> tuple[KeypointFamily, ...]:
        """Return the points that are on the person, in pixels of the full image and with depth."""
        ends = np.cumsum([len(entry.points) for entry in detections])
        if not detections:
            return ()
        local = np.concatenate([entry.points * entry.scale + (entry.scale - 1.0) / 2.0 for entry in detections])
        on_person, depth_m = self._on_person(local), self._depth_at(local)
        pixels = local + np.array(self._silhouette.box_px[:2], dtype=np.float32)
        families = []
        for entry, end in zip(detections, ends, strict=True):
            rows = slice(int(end) - len(entry.points), int(end))
            selected = on_person[rows]
            unknown = np.full(len(entry.points), np.nan, dtype=np.float32)
            families.append(
                KeypointFamily(
                    detector=entry.detector,
                    pixels=pixels[rows][selected],
                    size_px=(unknown if entry.size_px is None else entry.size_px)[selected],
                    angle_rad=(unknown if entry.angle_rad is None else entry.angle_rad)[selected],
                    response=(unknown if entry.response is None else entry.response)[selected],
                    depth_m=depth_m[rows][selected],
                    descriptors=None if entry.descriptors is None else entry.descriptors[selected],
                )
            )
        return tuple(families)

    def _on_person(self, local: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return whether points (K, 2) [px in the box] are within OUTSIDE_PX of the silhouette (K)."""
        column, row = np.rint(local).astype(np.intp).T + OUTSIDE_PX
        height, width = self._near.shape
        in_reach = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        return np.asarray(in_reach & self._near[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)])

    def _depth_at(self, local: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the median depth (K) [m] of the person in 3 x 3 pixels around points (K, 2); NaN = no return."""
        height, width = self._silhouette.inside.shape
        column = np.clip(np.rint(local[:, 0]).astype(np.intp), 0, width - 1) + DEPTH_REACH_PX
        row = np.clip(np.rint(local[:, 1]).astype(np.intp), 0, height - 1) + DEPTH_REACH_PX
        step = np.arange(-DEPTH_REACH_PX, DEPTH_REACH_PX + 1)
        windows = self._depth_m[row[:, None, None] + step[:, None], column[:, None, None] + step]
        windows = windows.reshape(len(row), step.size**2)
        # NaN sorts last: the median of the n finite values is at half of n.
        ordered, valid_count = np.sort(windows, axis=1), np.isfinite(windows).sum(axis=1)
        index = np.arange(len(row))
        median = np.float32(0.5) * (
            ordered[index, np.maximum(valid_count - 1, 0) // 2] + ordered[index, valid_count // 2]
        )
        return np.where(valid_count > 0, median, np.float32(np.nan)).astype(np.float32)
