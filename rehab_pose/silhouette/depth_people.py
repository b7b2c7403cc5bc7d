"""People in the reduced image of a frame, found by the depth network, by geometric rules, or by DeepLabV3+."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.geometry.floor import height_above_floor_m
from rehab_pose.geometry.gravity import quarter_turns, turned_points
from rehab_pose.silhouette.border_refinement import open_and_close
from rehab_pose.silhouette.bounding_box import bounding_box
from rehab_pose.silhouette.deeplab import DeepLabPeople
from rehab_pose.silhouette.depth_encoding import INPUT_NAME, encode_depth, reduced_size_px, sample_rows_and_columns
from rehab_pose.silhouette.geometric_segmentation import people_by_geometry
from rehab_pose.silhouette.surface_merging import merge_surfaces
from rehab_pose.weights import load_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.geometry.camera import CameraIntrinsics
    from rehab_pose.silhouette.settings import SilhouetteSettings

__all__ = ["DEFAULT_WEIGHTS", "MINIMUM_AREA_PX", "SURE", "PeopleFinder", "PeopleImage", "PreviousImage"]

DEFAULT_WEIGHTS = Path(__file__).with_name("silhouette.onnx")
SPLIT_GAP_M = 0.15
"""Neighbouring pixels of the reduced image that differ more than this in depth are on different surfaces [m]."""
DEEPEST_BEHIND_M = 0.6
"""Largest distance of a body part behind the median depth of its surface: a foot stretched back [m]."""
SURE = 0.9
"""Pixels with a probability above this, or below 1 minus this, are markers for the refinement of the border."""
PREVIOUS_WEIGHT = 0.35
"""Weight of the previous frame's probability; below 0.5, so that a moving hand is found at its new position at once."""
MAX_PREVIOUS_AGE_NS = 200_000_000
"""Largest age of the previous frame's results that are used [ns]."""
MAX_CARRIED_NS = 40_000_000
"""Frames at most this far apart take turns: the network runs in every second one, the other has the probability of the
frame before, where the depth is that of the frame before [ns]."""
CHANGED_M, CHANGED_RATIO = 0.03, 0.015
"""A change of depth by more than the sum of the first and the second times the depth is not noise [m]."""
MAX_CHANGED, NEAR_PX = 0.025, 2
"""The network runs in every frame while the depth changes on people, and within the second of them [px of the reduced
image], on more than this fraction of their area. Measured on simulated people, depth alone at 60 Hz: up to this change
the silhouettes agree with the truth as well as those of the network, beyond it by 0.02 to 0.08 (IoU) less."""
LIKELY, UNLIKELY = np.float32(0.6), np.float32(0.4)
"""Probability, where depth has changed, of pixels on and beside the people of the frame before: the surfaces and the
border are found by depth and colour."""
MAX_POINTS = 500
"""Medians of a surface are computed from about this many of its points."""
MINIMUM_AREA_PX = 60
"""Smallest area of a person in the reduced image; a person of 1.7 m at 5 m covers about 400 [px]."""


@dataclass(frozen=True, eq=False)
class PreviousImage:
    """A reduced image of the previous frame: probability or mask of the subject."""

    stamp_ns: int
    image: NDArray[np.float32]
    """(h, w), values 0-1."""

    def precedes(self, stamp_ns: int, shape: tuple[int, ...]) -> bool:
        """Return whether a frame at `stamp_ns` follows within MAX_PREVIOUS_AGE_NS and has the same reduced size."""
        return self.image.shape == shape and 0 < stamp_ns - self.stamp_ns <= MAX_PREVIOUS_AGE_NS


@dataclass(frozen=True, eq=False)
class _NetworkResult:
    """Averaged probability of a frame in which the network ran."""

    stamp_ns: int
    probability: NDArray[np.float32]
    """(h, w)."""
    depth_m: NDArray[np.float32]
    """(h, w) [m], NaN = no return."""
    turns: int
    """As in `PeopleImage`."""

    def carried_to(self, stamp_ns: int, depth_m: NDArray[np.float32], turns: int) -> NDArray[np.float32] | None:
        """Return the probability (h, w) in the next frame of a fast camera; None where the network has to run."""
        if not 0 < stamp_ns - self.stamp_ns <= MAX_CARRIED_NS or turns != self.turns:
            return None
        if depth_m.shape != self.depth_m.shape:
            return None
        is_return, was_return = np.isfinite(depth_m), np.isfinite(self.depth_m)
        with np.errstate(invalid="ignore"):
            same = np.abs(depth_m - self.depth_m) < np.float32(CHANGED_M) + np.float32(CHANGED_RATIO) * self.depth_m
        same |= ~(is_return | was_return)
        # Single returns that come and go at edges are noise.
        changed = cv2.medianBlur((~same).astype(np.uint8), 3) > 0
        people = (self.probability >= LIKELY).astype(np.uint8)
        near = cv2.dilate(people, np.ones((2 * NEAR_PX + 1, 2 * NEAR_PX + 1), np.uint8)) > 0
        if np.count_nonzero(changed & near) >= MAX_CHANGED * np.count_nonzero(people):
            return None  # also where there are no people
        carried = self.probability.copy()
        carried[changed] = np.clip(carried[changed], UNLIKELY, LIKELY)
        return carried


@dataclass(frozen=True, eq=False)
class PeopleImage:
    """The people in the reduced image of a frame, turned upright by whole quarter turns."""

    turns: int
    """k of the `numpy.rot90(image, k)` that turned the reduced image of the frame."""
    labels: NDArray[np.int32]
    """(h, w) 1, 2, ... on people, 0 elsewhere."""
    probability: NDArray[np.float32]
    """(h, w) of a person, 0-1."""
    depth_m: NDArray[np.float32]
    """(h, w) [m], NaN = no return."""
    points_m: NDArray[np.float32]
    """(h, w, 3) in the axes of the turned camera [m], NaN = no return."""
    rows: NDArray[np.intp]
    """Row of the full image that each row of the reduced image before turning was sampled from."""
    columns: NDArray[np.intp]
    """Column of the full image that each column of the reduced image before turning was sampled from."""
    intrinsics: CameraIntrinsics
    """Camera of the reduced image before turning."""


class PeopleFinder:
    """Finds the pixels of people by the method of the settings."""

    def __init__(self, settings: SilhouetteSettings) -> None:
        """Load the network if the method has one.

        Raises:
            ModelFileError: Its weights cannot be used.
        """
        self._settings = settings
        method, path = settings.method, settings.weights_path
        uses_depth_network = method in {"fused", "rgbd"}
        self._network = load_network(path or DEFAULT_WEIGHTS, (INPUT_NAME,)) if uses_depth_network else None
        self._deeplab = DeepLabPeople(path, settings.device) if method == "deeplabv3plus" else None
        self.reset()

    @property
    def alternates(self) -> bool:
        """True if the network ran in the newest frame after one without it."""
        return self._alternates

    @property
    def model_id(self) -> str:
        """Name and hash of the weights, or the method's name."""
        model = self._network or self._deeplab
        return model.model_id if model else self._settings.method

    def reset(self) -> None:
        """Forget the previous frame."""
        self._previous: PreviousImage | None = None
        self._last: _NetworkResult | None = None
        self._alternates, self._rested = False, False

    def find(self, frame: RgbdFrame, up: NDArray[np.float64], floor_plane: NDArray[np.float64]) -> PeopleImage:
        """Return the people in a frame.

        Args:
            frame: Colour and depth.
            up: (3) unit vector against gravity in the camera's frame; NaN = unknown, taken as upright.
            floor_plane: (4) as in `FloorPlane.plane`; NaN = unknown.
        """
        turns = quarter_turns(up)
        height, width = frame.depth_m.shape
        if turns % 2:
            # The network's input is wider than high: the reduced image has to fit into it after turning.
            reduced_height, reduced_width = reduced_size_px(height, width)
        else:
            reduced_width, reduced_height = reduced_size_px(width, height)
        rows, columns = sample_rows_and_columns(width, height, reduced_width, reduced_height)
        depth_m = frame.depth_m[np.ix_(rows, columns)]
        intrinsics = frame.intrinsics.scaled(reduced_width, reduced_height)
        points_m = intrinsics.back_project_image(depth_m)
        if turns:
            depth_m = np.ascontiguousarray(np.rot90(depth_m, turns))
            points_m = np.ascontiguousarray(turned_points(np.rot90(points_m, turns), turns))
            floor_plane = np.append(turned_points(floor_plane[:3], turns), floor_plane[3])
        if self._network is not None:
            probability = self._probability(frame.stamp_ns, depth_m, points_m, floor_plane, turns)
        elif self._deeplab is not None:
            probability = self._deeplab.people_probability(
                np.ascontiguousarray(np.rot90(frame.color, turns)), depth_m.shape[1], depth_m.shape[0]
            )
            probability = self._filtered(frame.stamp_ns, probability)
        else:
            labels, probability = people_by_geometry(depth_m, points_m, floor_plane, intrinsics)
            return PeopleImage(turns, labels, probability, depth_m, points_m, rows, columns, intrinsics)
        # Opening removes parts thinner than three reduced pixels, such as an arm seen from the side. Confident pixels
        # are added again.
        inside = open_and_close(probability >= self._settings.probability_threshold) | (probability > SURE)
        labels = merge_surfaces(_surfaces(inside, depth_m), points_m)
        return PeopleImage(turns, labels, probability, depth_m, points_m, rows, columns, intrinsics)

    def _probability(
        self,
        stamp_ns: int,
        depth_m: NDArray[np.float32],
        points_m: NDArray[np.float32],
        floor_plane: NDArray[np.float64],
        turns: int,
    ) -> NDArray[np.float32]:
        """Return the averaged probability (h, w) for an upright reduced image, or the carried one."""
        last, self._last = self._last, None
        carried = None if last is None else last.carried_to(stamp_ns, depth_m, turns)
        if carried is not None:
            self._alternates, self._rested = False, True
            return carried
        self._alternates, self._rested = self._rested, False
        probability = self._filtered(stamp_ns, self._network_probability(depth_m, points_m, floor_plane))
        self._last = _NetworkResult(stamp_ns, probability, depth_m, turns)
        return probability

    def _network_probability(
        self, depth_m: NDArray[np.float32], points_m: NDArray[np.float32], floor_plane: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """Return the network's probability (h, w) for an upright reduced image."""
        assert self._network is not None  # noqa: S101  (the caller checks it; narrows the type)
        height, width = depth_m.shape
        height_m = height_above_floor_m(points_m, floor_plane) if np.isfinite(floor_plane).all() else None
        logits = self._network.session.run(None, {INPUT_NAME: encode_depth(depth_m, height_m)[None]})[0]
        probability: NDArray[np.float32] = 1.0 / (1.0 + np.exp(-logits[0, 0, :height, :width]))
        return probability

    def _filtered(self, stamp_ns: int, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability (h, w) averaged with the previous frame's, which suppresses flicker of one frame."""
        previous = self._previous
        if previous is not None and previous.precedes(stamp_ns, probability.shape):
            probability = (1.0 - PREVIOUS_WEIGHT) * probability + PREVIOUS_WEIGHT * previous.image
        self._previous = PreviousImage(stamp_ns, probability)
        return probability


def _surfaces(people: NDArray[np.bool_], depth_m: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return connected surfaces as a label image (h, w), 0 elsewhere.

    Surfaces are separated where the depth jumps, and then where they reach farther behind their median depth than a
    person does: blurred edges connect a person without a jump to the furniture behind and to the next person.
    """
    box = bounding_box(people)
    surfaces = np.zeros(people.shape, np.int32)
    if people.any():
        surfaces[box] = _surfaces_in_box(people[box], depth_m[box])
    return surfaces


def _surfaces_in_box(people: NDArray[np.bool_], depth_m: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return the surfaces in the part of an image that holds all people."""
    depth = np.where(people & np.isfinite(depth_m), depth_m, np.float32(1e3))
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
    return labels.astype(np.int32, copy=False)
