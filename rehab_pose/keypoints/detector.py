"""Classical keypoints on the person's box (Ashraf et al. 2025, section 3.1.4).

Detectors scan the whole image whatever region of interest they are given, so they get the box alone, at half
resolution by default; positions come back in pixels of the whole image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
UNORIENTED = -1.0
"""OpenCV's angle for points without one [deg]."""


class KeypointDetector:
    """Runs the chosen detectors on one silhouette."""

    def __init__(self, settings: KeypointSettings | None = None) -> None:
        self._settings = settings or KeypointSettings()
        count = self._settings.maximum_points
        self._detectors: dict[str, Any] = {}
        if self._settings.orb:
            self._detectors["orb"] = cv2.ORB.create(nfeatures=count)
        if self._settings.brisk:
            self._detectors["brisk"] = cv2.BRISK.create()
        if self._settings.sift:
            self._detectors["sift"] = cv2.SIFT.create(nfeatures=count)
        if self._settings.akaze:
            self._detectors["akaze"] = cv2.AKAZE.create()

    def reset(self) -> None:
        """Do nothing: each frame stands alone."""

    def detect(self, silhouette: Silhouette) -> Keypoints:
        """Return the keypoints of one person, one family a detector, in the settings' order."""
        box = _Box(silhouette, half=self._settings.half_resolution)
        families: list[KeypointFamily] = []
        if self._settings.contour:
            families.append(box.family("contour", self._contour(silhouette.inside), scale=1.0))
        large_enough = min(box.gray.shape) >= MINIMUM_SIDE_PX
        if self._settings.harris:
            families.append(box.family("harris", self._corners(box.gray, harris=True) if large_enough else []))
        if self._settings.shi_tomasi:
            families.append(box.family("shi_tomasi", self._corners(box.gray, harris=False) if large_enough else []))
        for name, detector in self._detectors.items():
            points, descriptors = detector.detectAndCompute(box.gray, None) if large_enough else ((), None)
            families.append(self._described(box, name, points, descriptors))
        if self._settings.skeleton:
            ends, branches = end_and_branch_points(box.inside)
            families.append(box.family("skeleton_end", ends))
            families.append(box.family("skeleton_branch", branches))
        return Keypoints(stamp_ns=silhouette.stamp_ns, frame_id=silhouette.frame_id, families=tuple(families))

    def _contour(self, inside: NDArray[np.bool_]) -> NDArray[np.float32]:
        contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not contours:
            return np.empty((0, 2), np.float32)
        outline = max(contours, key=len)
        tolerance = self._settings.contour_tolerance * cv2.arcLength(outline, closed=True)
        corners = cv2.approxPolyDP(outline, tolerance, closed=True)
        return corners.reshape(-1, 2).astype(np.float32)[: self._settings.maximum_points]

    def _corners(self, gray: NDArray[np.uint8], *, harris: bool) -> NDArray[np.float32]:
        corners = cv2.goodFeaturesToTrack(
            gray,
            self._settings.maximum_points,
            CORNER_QUALITY,
            CORNER_DISTANCE_PX,
            useHarrisDetector=harris,
            k=HARRIS_K,
        )
        return np.empty((0, 2), np.float32) if corners is None else corners.reshape(-1, 2).astype(np.float32)

    def _described(
        self, box: _Box, name: str, points: Sequence[cv2.KeyPoint], descriptors: NDArray[Any] | None
    ) -> KeypointFamily:
        order = np.argsort([-point.response for point in points], kind="stable")[: self._settings.maximum_points]
        kept = [points[index] for index in order]
        angles = np.array([point.angle for point in kept], dtype=np.float32)
        return box.family(
            name,
            [point.pt for point in kept],
            size_px=np.array([point.size for point in kept], dtype=np.float32),
            angle_rad=np.where(angles == UNORIENTED, np.nan, np.radians(angles)),
            response=np.array([point.response for point in kept], dtype=np.float32),
            descriptors=None if descriptors is None or not kept else descriptors[order],
        )


class _Box:
    """The person's box in the detectors' resolution, and the way back to the whole image."""

    def __init__(self, silhouette: Silhouette, *, half: bool) -> None:
        self._silhouette = silhouette
        self._scale = 2.0 if half else 1.0
        gray: NDArray[Any] = cv2.cvtColor(silhouette.color, cv2.COLOR_RGB2GRAY)
        inside: NDArray[Any] = silhouette.inside.astype(np.uint8)
        if half:
            height, width = (max(1, side // 2) for side in gray.shape)
            gray = cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA)
            inside = cv2.resize(inside, (width, height), interpolation=cv2.INTER_NEAREST)
        self.gray: NDArray[np.uint8] = gray
        self.inside = inside.astype(np.bool_)

    def family(
        self,
        detector: str,
        points: NDArray[np.float32] | Sequence[Sequence[float]],
        *,
        scale: float | None = None,
        size_px: NDArray[np.float32] | None = None,
        angle_rad: NDArray[np.float32] | None = None,
        response: NDArray[np.float32] | None = None,
        descriptors: NDArray[Any] | None = None,
    ) -> KeypointFamily:
        """Return a family with positions in the whole image and depth at each point."""
        factor = self._scale if scale is None else scale
        local = np.asarray(points, dtype=np.float32).reshape(-1, 2) * factor + (factor - 1.0) / 2.0
        height, width = self._silhouette.inside.shape
        column = np.clip(np.rint(local[:, 0]).astype(np.intp), 0, width - 1)
        row = np.clip(np.rint(local[:, 1]).astype(np.intp), 0, height - 1)
        origin = np.array(self._silhouette.box_px[:2], dtype=np.float32)
        unknown = np.full(len(local), np.nan, dtype=np.float32)
        return KeypointFamily(
            detector=detector,
            pixels=local + origin,
            size_px=unknown if size_px is None else size_px * factor,
            angle_rad=unknown if angle_rad is None else angle_rad,
            response=unknown if response is None else response,
            depth_m=self._silhouette.depth_m[row, column],
            descriptors=descriptors,
        )
