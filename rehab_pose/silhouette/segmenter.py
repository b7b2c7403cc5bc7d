"""RGB-D frame to silhouette: reduced depth image, people, the subject among them, full resolution at the border."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.datatypes import RgbdFrame, Silhouette
from rehab_pose.geometry.floor import FloorTracker
from rehab_pose.silhouette.build import INPUT_NAME, build_network
from rehab_pose.silhouette.encoding import encode_depth, reduced_size_px, sample_rows_and_columns
from rehab_pose.silhouette.geometry import people_by_geometry
from rehab_pose.silhouette.refinement import enlarge, tidy
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.silhouette.subject import Candidate, SubjectChooser

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SilhouetteSegmenter"]

SPLIT_GAP_M = 0.15
"""Neighbouring pixels of the reduced image farther apart in depth than this lie on different surfaces [m]."""
DEEPEST_BEHIND_M = 0.6
"""No part of a person lies farther than this behind the middle of what is seen of it: a foot stretched back [m]."""
LIMB_REACH_M = 0.9
"""A surface before the trunk that is nearer than this may be the same person's arm [m]."""
LIMB_BEHIND_M = 0.35
"""The same behind the trunk [m]."""
LIMB_SHARE = 0.4
"""An arm or a leg covers at most this fraction of what the rest of the person covers."""
MINIMUM_AREA_PX = 60
"""In the reduced image: a person of 1.7 m at 5 m covers about 400."""


class SilhouetteSegmenter:
    """Finds the subject's pixels."""

    def __init__(self, settings: SilhouetteSettings | None = None) -> None:
        """Load the network if the method asks for it.

        Raises:
            ModelFileError: Its weights cannot be used.
        """
        self._settings = settings or SilhouetteSettings()
        self._network = build_network(self._settings.weights_path) if self._settings.method == "network" else None
        self._floor = FloorTracker()
        self._chooser = SubjectChooser(self._settings)

    @property
    def model_id(self) -> str:
        """Name and hash of the weights, or the method's name."""
        return self._network.model_id if self._network else self._settings.method

    def reset(self) -> None:
        """Forget the floor and the subject (time jumped back, or another camera)."""
        self._floor.reset()
        self._chooser.reset()

    def segment(self, frame: RgbdFrame) -> Silhouette | None:
        """Return the subject's silhouette, or None when nobody is there."""
        height, width = frame.depth_m.shape
        reduced_width, reduced_height = reduced_size_px(width, height)
        rows, columns = sample_rows_and_columns(width, height, reduced_width, reduced_height)
        depth_m = frame.depth_m[np.ix_(rows, columns)]
        points_m = frame.intrinsics.scaled(reduced_width, reduced_height).back_project_image(depth_m)
        floor_plane = self._floor.track(frame.depth_m, frame.intrinsics)
        people, confidence = self._people(depth_m, points_m, floor_plane)
        labels, candidates = self._separate(people, points_m)
        subject = self._chooser.choose(candidates)
        if subject is None:
            return None
        chosen = _with_limbs(labels, subject, points_m[..., 2])
        box_px, inside = enlarge(chosen, depth_m, frame.depth_m)
        if not inside.any():
            return None
        return _cut_out(frame, box_px, inside, floor_plane, float(confidence[chosen].mean()))

    def _people(
        self, depth_m: NDArray[np.float32], points_m: NDArray[np.float32], floor_plane: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Return where people are (h, w) and how sure that is (h, w)."""
        if self._network is None:
            people = people_by_geometry(depth_m, points_m, floor_plane)
            return people, people.astype(np.float32)
        height, width = depth_m.shape
        logits = self._network.session.run(None, {INPUT_NAME: encode_depth(depth_m)[None]})[0]
        probability = 1.0 / (1.0 + np.exp(-logits[0, 0, :height, :width]))
        return tidy(probability >= self._settings.probability_threshold), probability

    def _separate(
        self, people: NDArray[np.bool_], points_m: NDArray[np.float32]
    ) -> tuple[NDArray[np.int32], list[Candidate]]:
        """Split the people pixels into persons; return the label image and one candidate a person."""
        labels, stats = _surfaces(people, points_m[..., 2])
        candidates = []
        middle = (people.shape[1] - 1) / 2.0
        for label in range(1, len(stats)):
            if stats[label, cv2.CC_STAT_AREA] < MINIMUM_AREA_PX:
                continue
            inside = labels == label
            points = points_m[inside & np.isfinite(points_m[..., 2])]
            if len(points) < MINIMUM_AREA_PX // 2:
                continue
            candidate = self._candidate(label, points, middle, stats[label])
            if (
                candidate.height_m >= self._settings.minimum_height_m
                and candidate.centre_m[2] <= self._settings.maximum_distance_m
            ):
                candidates.append(candidate)
        return labels, candidates

    @staticmethod
    def _candidate(label: int, points: NDArray[np.float32], middle_px: float, stats: NDArray[np.int32]) -> Candidate:
        low, high = np.percentile(points[:, 1], (1, 99))
        column = stats[cv2.CC_STAT_LEFT] + stats[cv2.CC_STAT_WIDTH] / 2.0
        centre = np.median(points, axis=0).astype(np.float64)
        # Metres a pixel grow with distance: compare surfaces, not pixel counts.
        area_m2 = float(len(points)) * float(centre[2]) ** 2
        return Candidate(
            label=label,
            centre_m=centre,
            height_m=float(high - low),
            area_m2=area_m2,
            column_offset=abs(float(column) - middle_px) / middle_px,
        )


def _surfaces(people: NDArray[np.bool_], depth_m: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return connected surfaces as a label image (h, w), and OpenCV's statistics (N, 5) of each.

    Surfaces are cut where the depth jumps, and then where they reach farther behind their own middle than a person
    does: smeared edges lead without any jump from a person to the cupboard behind and on to the next person.
    """
    depth = np.where(people & np.isfinite(depth_m), depth_m, np.float32(1e3)).astype(np.float32)
    seen = depth < np.float32(1e3)
    nearest = cv2.erode(depth, np.ones((3, 3), np.uint8))
    kept = people & ~(seen & (depth - nearest > SPLIT_GAP_M))
    count, labels = cv2.connectedComponents(kept.astype(np.uint8), connectivity=8)
    limit_m = np.full(count, np.inf, dtype=np.float32)
    for label in range(1, count):
        own = depth[(labels == label) & seen]
        if len(own) >= MINIMUM_AREA_PX:
            limit_m[label] = np.median(own) + np.float32(DEEPEST_BEHIND_M)
    kept &= ~(seen & (depth > limit_m[labels]))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(kept.astype(np.uint8), connectivity=8)
    return labels.astype(np.int32), stats.astype(np.int32)


def _with_limbs(labels: NDArray[np.int32], subject: Candidate, depth_m: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the subject with the smaller surfaces that touch it and lie at an arm's reach before it or just behind.

    A hand held towards the camera is cut off from the trunk by a jump in depth, and so is whatever stands behind.
    """
    chosen = labels == subject.label
    area = np.count_nonzero(chosen)
    touching = cv2.dilate(chosen.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.bool_)
    for label in np.unique(labels[touching & (labels > 0) & ~chosen]):
        piece = labels == label
        seen = np.isfinite(depth_m[piece])
        before_m = float(subject.centre_m[2] - np.median(depth_m[piece][seen])) if seen.any() else 0.0
        if np.count_nonzero(piece) < LIMB_SHARE * area and -LIMB_BEHIND_M < before_m < LIMB_REACH_M:
            chosen |= piece
    # The jumps themselves belong to the person where the person lies on both sides.
    closed = cv2.morphologyEx(chosen.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    return closed.astype(np.bool_)


def _cut_out(
    frame: RgbdFrame,
    box_px: tuple[int, int, int, int],
    inside: NDArray[np.bool_],
    floor_plane: NDArray[np.float64],
    confidence: float,
) -> Silhouette:
    """Keep colour and depth inside the person only (Eq 8)."""
    x, y, width, height = box_px
    color = frame.color[y : y + height, x : x + width] * inside[..., None]
    depth_m = np.where(inside, frame.depth_m[y : y + height, x : x + width], np.float32(np.nan))
    return Silhouette(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        intrinsics=frame.intrinsics,
        box_px=box_px,
        inside=inside,
        color=color,
        depth_m=depth_m,
        floor_plane=floor_plane,
        confidence=confidence,
    )
