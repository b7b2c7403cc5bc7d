"""Segmentation of the subject: people in a reduced image, selection of the subject, refinement of its border."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.datatypes import RgbdFrame, Silhouette
from rehab_pose.geometry.floor import FloorTracker, height_above_floor_m
from rehab_pose.silhouette.border_refinement import ReducedSilhouette, open_and_close, refine_to_full_resolution
from rehab_pose.silhouette.deeplab import DeepLabPeople
from rehab_pose.silhouette.depth_encoding import INPUT_NAME, encode_depth, reduced_size_px, sample_rows_and_columns
from rehab_pose.silhouette.geometric_segmentation import people_by_geometry
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.silhouette.subject_selection import Candidate, SubjectSelector
from rehab_pose.silhouette.surface_merging import merge_surfaces
from rehab_pose.weights import load_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DEFAULT_WEIGHTS", "SilhouetteSegmenter"]

DEFAULT_WEIGHTS = Path(__file__).with_name("silhouette.onnx")
SPLIT_GAP_M = 0.15
"""Neighbouring pixels of the reduced image that differ more than this in depth are on different surfaces [m]."""
DEEPEST_BEHIND_M = 0.6
"""Largest distance of a body part behind the median depth of its surface: a foot stretched back [m]."""
SURE = 0.9
"""Pixels with a probability above this, or below 1 minus this, are markers for the refinement of the border."""
MAX_SPEED_M_S, MIN_REACH_M = 3.0, 0.12
"""Limit on the growth of the silhouette between two frames: the speed of a hand in an exercise, but at least a margin
for the sensor's noise. A faster part is included one frame later [m/s, m]."""
PREVIOUS_WEIGHT = 0.35
"""Weight of the previous frame's probability; below 0.5, so that a moving hand is found at its new position at once."""
MAX_PREVIOUS_AGE_NS = 200_000_000
"""Largest age of the previous frame's results that are used [ns]."""
MAX_POINTS = 500
"""Medians and extents of a surface are computed from about this many of its points."""
MINIMUM_AREA_PX = 60
"""Smallest area of a person in the reduced image; a person of 1.7 m at 5 m covers about 400 [px]."""


@dataclass(frozen=True, eq=False)
class _PreviousImage:
    """A reduced image of the previous frame: probability or mask of the subject."""

    stamp_ns: int
    image: NDArray[np.float32]
    """(h, w), values 0-1."""

    def precedes(self, stamp_ns: int, shape: tuple[int, ...]) -> bool:
        """Return whether a frame at `stamp_ns` follows within MAX_PREVIOUS_AGE_NS and has the same reduced size."""
        return self.image.shape == shape and 0 < stamp_ns - self.stamp_ns <= MAX_PREVIOUS_AGE_NS


class SilhouetteSegmenter:
    """Segments the subject in RGB-D frames."""

    def __init__(self, settings: SilhouetteSettings | None = None) -> None:
        """Load the network if the method of the settings has one.

        Raises:
            ModelFileError: Its weights cannot be used.
        """
        self._settings = settings or SilhouetteSettings()
        method, weights_path = self._settings.method, self._settings.weights_path
        self._network = load_network(weights_path or DEFAULT_WEIGHTS, (INPUT_NAME,)) if method == "rgbd" else None
        self._deeplab = DeepLabPeople(weights_path, self._settings.device) if method == "deeplabv3plus" else None
        self._floor = FloorTracker()
        self._selector = SubjectSelector(self._settings)
        self._previous: _PreviousImage | None = None
        self._previous_subject: _PreviousImage | None = None

    @property
    def model_id(self) -> str:
        """Name and hash of the weights, or the method's name."""
        model = self._network or self._deeplab
        return model.model_id if model else self._settings.method

    def reset(self) -> None:
        """Discard the floor and the subject (time jumped back, or another camera)."""
        self._floor.reset()
        self._selector.reset()
        self._previous = None
        self._previous_subject = None

    @property
    def floor_plane(self) -> NDArray[np.float64]:
        """The floor plane (4) as in `FloorPlane.plane`, estimated from all frames since the reset; NaN = unknown."""
        return self._floor.plane

    def process(self, item: RgbdFrame | None) -> Silhouette | None:
        """Return the subject's silhouette, or None when no person is in view."""
        return None if item is None else self.segment(item)

    def segment(self, frame: RgbdFrame) -> Silhouette | None:
        """Return the subject's silhouette, or None when no person is in view."""
        height, width = frame.depth_m.shape
        reduced_width, reduced_height = reduced_size_px(width, height)
        rows, columns = sample_rows_and_columns(width, height, reduced_width, reduced_height)
        depth_m = frame.depth_m[np.ix_(rows, columns)]
        points_m = frame.intrinsics.scaled(reduced_width, reduced_height).back_project_image(depth_m)
        floor_plane = self._floor.track(frame.depth_m, frame.intrinsics)
        people, probability = self._people(frame, depth_m, points_m, floor_plane)
        subject = self._selector.select(self._candidates(people, points_m))
        if subject is None:
            self._previous, self._previous_subject = None, None
            return None
        inside = self._within_reach(frame, people == subject.label, subject)
        other_person = (people > 0) & np.isfinite(depth_m)
        reduced = ReducedSilhouette(
            person=inside,
            surely_person=inside & (probability > SURE),
            surely_other=~inside & ((probability < 1.0 - SURE) | other_person),
            depth_m=depth_m,
            rows=rows,
            columns=columns,
        )
        box_px, full_inside = refine_to_full_resolution(reduced, frame.depth_m, frame.color)
        if not full_inside.any():
            return None
        return _cut_out(frame, box_px, full_inside, float(probability[inside].mean()))

    def _people(
        self,
        frame: RgbdFrame,
        depth_m: NDArray[np.float32],
        points_m: NDArray[np.float32],
        floor_plane: NDArray[np.float64],
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return labels of people (h, w), 0 elsewhere, and the probability (h, w) of a person for each pixel."""
        height, width = depth_m.shape
        if self._network is not None:
            height_m = height_above_floor_m(points_m, floor_plane) if np.isfinite(floor_plane).all() else None
            logits = self._network.session.run(None, {INPUT_NAME: encode_depth(depth_m, height_m)[None]})[0]
            probability = 1.0 / (1.0 + np.exp(-logits[0, 0, :height, :width]))
        elif self._deeplab is not None:
            probability = self._deeplab.people_probability(frame.color, width, height)
        else:
            return people_by_geometry(depth_m, points_m, floor_plane, frame.intrinsics.scaled(width, height))
        probability = self._filtered(frame.stamp_ns, probability)
        # Opening removes parts thinner than three reduced pixels, such as an arm seen from the side. Confident pixels
        # are added again.
        inside = open_and_close(probability >= self._settings.probability_threshold) | (probability > SURE)
        return merge_surfaces(_surfaces(inside, depth_m), points_m), probability

    def _filtered(self, stamp_ns: int, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability (h, w) averaged with the previous frame's, which suppresses flicker of one frame."""
        previous = self._previous
        if previous is not None and previous.precedes(stamp_ns, probability.shape):
            probability = (1.0 - PREVIOUS_WEIGHT) * probability + PREVIOUS_WEIGHT * previous.image
        self._previous = _PreviousImage(stamp_ns, probability)
        return probability

    def _within_reach(self, frame: RgbdFrame, selected: NDArray[np.bool_], subject: Candidate) -> NDArray[np.bool_]:
        """Return the part of the subject (h, w) that it can have reached since the previous frame.

        This excludes surfaces of other people and of furniture that touch the subject's for a moment.
        """
        previous = self._previous_subject
        self._previous_subject = _PreviousImage(frame.stamp_ns, selected.astype(np.float32))
        if previous is None or not previous.precedes(frame.stamp_ns, selected.shape):
            return selected
        moved_m = max(MIN_REACH_M, MAX_SPEED_M_S * (frame.stamp_ns - previous.stamp_ns) * 1e-9)
        reach_px = round(moved_m * frame.intrinsics.scaled(*selected.shape[::-1]).fx / float(subject.centre_m[2]))
        reachable = cv2.dilate(previous.image, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)) > 0
        within = _main_part(selected & reachable)
        if not within.any():
            return selected
        self._previous_subject = _PreviousImage(frame.stamp_ns, within.astype(np.float32))
        return within

    def _candidates(self, people: NDArray[np.int32], points_m: NDArray[np.float32]) -> list[Candidate]:
        """Return the people who are large and close enough to be the subject."""
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
        subset = points[:: 1 + len(points) // MAX_POINTS]
        low, high = np.percentile(subset[:, 1], (1, 99))
        centre = np.median(subset, axis=0).astype(np.float64)
        # The area of a pixel on the surface grows with the square of the distance.
        relative_area = float(len(points)) * float(centre[2]) ** 2
        return Candidate(
            label=label,
            centre_m=centre,
            height_m=float(high - low),
            relative_area=relative_area,
            column_offset=abs(float(column_px) - middle_px) / middle_px,
        )


def _surfaces(people: NDArray[np.bool_], depth_m: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return connected surfaces as a label image (h, w), 0 elsewhere.

    Surfaces are separated where the depth jumps, and then where they reach farther behind their median depth than a
    person does: blurred edges connect a person without a jump to the furniture behind and to the next person.
    """
    depth = np.where(people & np.isfinite(depth_m), depth_m, np.float32(1e3)).astype(np.float32)
    valid = depth < np.float32(1e3)
    nearest = cv2.erode(depth, np.ones((3, 3), np.uint8))
    connectable = people & ~(valid & (depth - nearest > SPLIT_GAP_M))
    count, labels = cv2.connectedComponents(connectable.astype(np.uint8), connectivity=8)
    limit_m = np.full(count, np.inf, dtype=np.float32)
    sizes_px = np.bincount(labels.ravel(), minlength=count)
    for label in np.flatnonzero(sizes_px[1:] >= MINIMUM_AREA_PX) + 1:
        depths = depth[(labels == label) & valid]
        if len(depths):
            limit_m[label] = np.median(depths[:: 1 + len(depths) // MAX_POINTS]) + np.float32(DEEPEST_BEHIND_M)
    connectable &= ~(valid & (depth > limit_m[labels]))
    _, labels = cv2.connectedComponents(connectable.astype(np.uint8), connectivity=8)
    return labels.astype(np.int32)


def _main_part(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest connected part (Eq 5) with the pieces separated from it by at most two pixels."""
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
    """Return the silhouette with the colour and depth of the person's pixels only (Eq 8)."""
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
