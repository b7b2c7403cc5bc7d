"""RGB-D frame to silhouette: reduced image, people, the subject among them, full resolution at the border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.datatypes import RgbdFrame, Silhouette
from rehab_pose.geometry.floor import FloorTracker, height_above_floor_m
from rehab_pose.silhouette.build import INPUT_NAME, build_network
from rehab_pose.silhouette.deeplab import DeepLabPeople
from rehab_pose.silhouette.encoding import encode_depth, reduced_size_px, sample_rows_and_columns
from rehab_pose.silhouette.geometry import people_by_geometry
from rehab_pose.silhouette.people import join_surfaces
from rehab_pose.silhouette.refinement import ReducedSilhouette, enlarge, tidy
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.silhouette.subject import Candidate, SubjectChooser

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SilhouetteSegmenter"]

SPLIT_GAP_M = 0.15
"""Neighbouring pixels of the reduced image farther apart in depth than this lie on different surfaces [m]."""
DEEPEST_BEHIND_M = 0.6
"""No part of a person lies farther than this behind the middle of what is seen of it: a foot stretched back [m]."""
SURE = 0.9
"""A pixel whose probability is above this, or below the rest, is a seed from which the border is decided."""
FASTEST_M_S, MIN_REACH_M = 3.0, 0.12
"""A hand in an exercise moves no faster, and what does is caught up with a frame later; between two frames a person may
always grow by what the sensor's noise adds [m/s, m]."""
MEMORY = 0.35
"""Weight of the frame before. Below a half, so that a moving hand is seen at once where it is now."""
MAX_MEMORY_NS = 200_000_000
"""After a longer pause the frame before says nothing [ns]."""
MAX_POINTS = 500
"""Medians and extents of a surface are taken of about this many of its points."""
MINIMUM_AREA_PX = 60
"""In the reduced image: a person of 1.7 m at 5 m covers about 400."""


@dataclass(frozen=True, eq=False)
class _Before:
    """What was found in the frame before."""

    stamp_ns: int
    image: NDArray[np.float32]
    """(h, w) 0-1."""

    def speaks_of(self, stamp_ns: int, shape: tuple[int, ...]) -> bool:
        """Tell whether the frame at `stamp_ns` follows it closely, in the same reduced size."""
        return self.image.shape == shape and 0 < stamp_ns - self.stamp_ns <= MAX_MEMORY_NS


class SilhouetteSegmenter:
    """Finds the subject's pixels."""

    def __init__(self, settings: SilhouetteSettings | None = None) -> None:
        """Load the network if the method asks for it.

        Raises:
            ModelFileError: Its weights cannot be used.
        """
        self._settings = settings or SilhouetteSettings()
        method, weights_path = self._settings.method, self._settings.weights_path
        self._network = build_network(weights_path) if method == "rgbd" else None
        self._deeplab = DeepLabPeople(weights_path, self._settings.device) if method == "deeplabv3plus" else None
        self._floor = FloorTracker()
        self._chooser = SubjectChooser(self._settings)
        self._before: _Before | None = None
        self._subject_before: _Before | None = None

    @property
    def model_id(self) -> str:
        """Name and hash of the weights, or the method's name."""
        model = self._network or self._deeplab
        return model.model_id if model else self._settings.method

    def reset(self) -> None:
        """Forget the floor and the subject (time jumped back, or another camera)."""
        self._floor.reset()
        self._chooser.reset()
        self._before = None
        self._subject_before = None

    @property
    def floor_plane(self) -> NDArray[np.float64]:
        """The floor (4) as in `FloorPlane.plane`, estimated from the frames so far; NaN while it has not been seen."""
        return self._floor.plane

    def process(self, item: RgbdFrame | None) -> Silhouette | None:
        """Return the subject's silhouette, or None when no person is in view."""
        return None if item is None else self.segment(item)

    def segment(self, frame: RgbdFrame) -> Silhouette | None:
        """Return the subject's silhouette, or None when nobody is there."""
        height, width = frame.depth_m.shape
        reduced_width, reduced_height = reduced_size_px(width, height)
        rows, columns = sample_rows_and_columns(width, height, reduced_width, reduced_height)
        depth_m = frame.depth_m[np.ix_(rows, columns)]
        points_m = frame.intrinsics.scaled(reduced_width, reduced_height).back_project_image(depth_m)
        floor_plane = self._floor.track(frame.depth_m, frame.intrinsics)
        people, probability = self._people(frame, depth_m, points_m, floor_plane)
        subject = self._chooser.choose(self._candidates(people, points_m))
        if subject is None:
            self._before, self._subject_before = None, None
            return None
        chosen = self._within_reach(frame, people == subject.label, subject)
        seen_elsewhere = (people > 0) & np.isfinite(depth_m)
        reduced = ReducedSilhouette(
            person=chosen,
            surely_person=chosen & (probability > SURE),
            surely_other=~chosen & ((probability < 1.0 - SURE) | seen_elsewhere),
            depth_m=depth_m,
            rows=rows,
            columns=columns,
        )
        box_px, inside = enlarge(reduced, frame.depth_m, frame.color)
        if not inside.any():
            return None
        return _cut_out(frame, box_px, inside, float(probability[chosen].mean()))

    def _people(
        self,
        frame: RgbdFrame,
        depth_m: NDArray[np.float32],
        points_m: NDArray[np.float32],
        floor_plane: NDArray[np.float64],
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return people (h, w), a number a person and 0 elsewhere, and how likely each pixel shows one (h, w)."""
        height, width = depth_m.shape
        if self._network is not None:
            height_m = height_above_floor_m(points_m, floor_plane) if np.isfinite(floor_plane).all() else None
            logits = self._network.session.run(None, {INPUT_NAME: encode_depth(depth_m, height_m)[None]})[0]
            probability = 1.0 / (1.0 + np.exp(-logits[0, 0, :height, :width]))
        elif self._deeplab is not None:
            probability = self._deeplab.people_probability(frame.color, width, height)
        else:
            return people_by_geometry(depth_m, points_m, floor_plane, frame.intrinsics.scaled(width, height))
        probability = self._remembered(frame.stamp_ns, probability)
        # Opening removes what is thinner than three reduced pixels: an arm seen from the side, unless it is sure.
        inside = tidy(probability >= self._settings.probability_threshold) | (probability > SURE)
        return join_surfaces(_surfaces(inside, depth_m), points_m), probability

    def _remembered(self, stamp_ns: int, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability (h, w) blended with the frame before: what flickers for one frame is no person."""
        before = self._before
        if before is not None and before.speaks_of(stamp_ns, probability.shape):
            probability = (1.0 - MEMORY) * probability + MEMORY * before.image
        self._before = _Before(stamp_ns, probability)
        return probability

    def _within_reach(self, frame: RgbdFrame, chosen: NDArray[np.bool_], subject: Candidate) -> NDArray[np.bool_]:
        """Return of the subject (h, w) what it can have reached since the frame before.

        Somebody else's surface, or a sofa's, that touches the subject's for a moment stays out.
        """
        before, self._subject_before = self._subject_before, _Before(frame.stamp_ns, chosen.astype(np.float32))
        if before is None or not before.speaks_of(frame.stamp_ns, chosen.shape):
            return chosen
        moved_m = max(MIN_REACH_M, FASTEST_M_S * (frame.stamp_ns - before.stamp_ns) * 1e-9)
        reach_px = round(moved_m * frame.intrinsics.scaled(*chosen.shape[::-1]).fx / float(subject.centre_m[2]))
        reachable = cv2.dilate(before.image, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)) > 0
        within = _main_part(chosen & reachable)
        if not within.any():
            return chosen
        self._subject_before = _Before(frame.stamp_ns, within.astype(np.float32))
        return within

    def _candidates(self, people: NDArray[np.int32], points_m: NDArray[np.float32]) -> list[Candidate]:
        """Return who may be the subject."""
        candidates = []
        middle = (people.shape[1] - 1) / 2.0
        sizes_px = np.bincount(people.ravel())
        for label in np.flatnonzero(sizes_px[1:] >= MINIMUM_AREA_PX) + 1:
            inside = people == label
            points = points_m[inside & np.isfinite(points_m[..., 2])]
            if len(points) < MINIMUM_AREA_PX // 2:
                continue
            columns = np.flatnonzero(inside.any(axis=0))
            candidate = self._candidate(int(label), points, middle, (columns[0] + columns[-1] + 1) / 2.0)
            if (
                candidate.height_m >= self._settings.minimum_height_m
                and candidate.centre_m[2] <= self._settings.maximum_distance_m
            ):
                candidates.append(candidate)
        return candidates

    @staticmethod
    def _candidate(label: int, points: NDArray[np.float32], middle_px: float, column_px: float) -> Candidate:
        few = points[:: 1 + len(points) // MAX_POINTS]
        low, high = np.percentile(few[:, 1], (1, 99))
        centre = np.median(few, axis=0).astype(np.float64)
        # Metres a pixel grow with distance: compare surfaces, not pixel counts.
        area_m2 = float(len(points)) * float(centre[2]) ** 2
        return Candidate(
            label=label,
            centre_m=centre,
            height_m=float(high - low),
            area_m2=area_m2,
            column_offset=abs(float(column_px) - middle_px) / middle_px,
        )


def _surfaces(people: NDArray[np.bool_], depth_m: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return connected surfaces as a label image (h, w), 0 elsewhere.

    Surfaces are cut where the depth jumps, and then where they reach farther behind their own middle than a person
    does: smeared edges lead without any jump from a person to the cupboard behind and on to the next person.
    """
    depth = np.where(people & np.isfinite(depth_m), depth_m, np.float32(1e3)).astype(np.float32)
    seen = depth < np.float32(1e3)
    nearest = cv2.erode(depth, np.ones((3, 3), np.uint8))
    kept = people & ~(seen & (depth - nearest > SPLIT_GAP_M))
    count, labels = cv2.connectedComponents(kept.astype(np.uint8), connectivity=8)
    limit_m = np.full(count, np.inf, dtype=np.float32)
    sizes_px = np.bincount(labels.ravel(), minlength=count)
    for label in np.flatnonzero(sizes_px[1:] >= MINIMUM_AREA_PX) + 1:
        own = depth[(labels == label) & seen]
        if len(own):
            limit_m[label] = np.median(own[:: 1 + len(own) // MAX_POINTS]) + np.float32(DEEPEST_BEHIND_M)
    kept &= ~(seen & (depth > limit_m[labels]))
    _, labels = cv2.connectedComponents(kept.astype(np.uint8), connectivity=8)
    return labels.astype(np.int32)


def _main_part(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest connected part (Eq 5), pieces that nearly touch it included."""
    near = cv2.dilate(inside.astype(np.uint8), np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    if count <= 2:
        return inside
    main: NDArray[np.bool_] = inside & (labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])))
    return main


def _cut_out(
    frame: RgbdFrame,
    box_px: tuple[int, int, int, int],
    inside: NDArray[np.bool_],
    confidence: float,
) -> Silhouette:
    """Keep colour and depth inside the person only (Eq 8)."""
    x, y, width, height = box_px
    part = np.ascontiguousarray(frame.color[y : y + height, x : x + width])
    color = cv2.bitwise_and(part, part, mask=inside.astype(np.uint8)).astype(np.uint8, copy=False)
    depth_m = np.where(inside, frame.depth_m[y : y + height, x : x + width], np.float32(np.nan))
    return Silhouette(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        intrinsics=frame.intrinsics,
        box_px=box_px,
        inside=inside,
        color=color,
        depth_m=depth_m,
        confidence=confidence,
    )
