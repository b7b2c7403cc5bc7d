"""The subject from colour and depth, with the tests that the image network's mask has to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.silhouette.candidates import implausible_points, largest_extent_m
from rehab_pose.silhouette.color_check import unusable_color
from rehab_pose.silhouette.mask_fusion import fuse
from rehab_pose.silhouette.mask_warping import MaskCarrier

if TYPE_CHECKING:
    from rehab_pose.datatypes import ImageJoints, RgbdFrame
    from rehab_pose.silhouette.mask_fusion import FusedSilhouette
    from rehab_pose.silhouette.settings import SilhouetteSettings
    from rehab_pose.silhouette.subject_selection import SubjectSelector

__all__ = ["FusedSubject", "MaskError"]

MIN_SCORE = 0.5
"""Smallest score of the image network: below it the region more probably contains no person."""
MIN_AGREEMENT = 0.6
"""Smallest fraction of the mask's pixels with a return that are on the person's surfaces. On 40 frames of a real person
it was 0.97 or more."""
MIN_COVERAGE = 0.15
"""Smallest fraction of the mask's pixels with a return."""
MIN_POINTS = 30
"""Smallest number of points of the person's surfaces at every fourth pixel: 500 pixels of the image."""


class MaskError(Exception):
    """The mask of a frame cannot be used; the message is the reason."""

    def __init__(self, reason: str, *, wrong_person: bool = False) -> None:
        """Store the reason, and whether the landmarks are another person's or nothing's."""
        super().__init__(reason)
        self.wrong_person = wrong_person


class FusedSubject:
    """Checks the image network's results and fuses its mask with depth."""

    def __init__(self, settings: SilhouetteSettings) -> None:
        self._maximum_distance_m = settings.maximum_distance_m
        self._carrier = MaskCarrier()

    def reset(self) -> None:
        """Forget the mask."""
        self._carrier.reset()

    def segment(self, frame: RgbdFrame, joints: ImageJoints | None, selector: SubjectSelector) -> FusedSilhouette:
        """Return the subject, and confirm it to the selector.

        Args:
            frame: Colour and depth.
            joints: Landmarks of the same frame; None if there are none.
            selector: Knows where the subject was.

        Raises:
            MaskError: The mask cannot be used in this frame.
        """
        problem = unusable_color(frame.color)
        if problem:
            raise MaskError(problem, wrong_person=joints is not None)
        if joints is None or joints.stamp_ns != frame.stamp_ns:
            msg = "no person was found in the colour image"
            raise MaskError(msg)
        if not joints.score >= MIN_SCORE:
            msg = f"the score in the colour image is {joints.score:.2f}, less than {MIN_SCORE}"
            raise MaskError(msg)
        mask = self._carrier.warp(joints, frame.intrinsics.width_px, frame.intrinsics.height_px)
        if mask is None:
            msg = "there is no recent mask of the person"
            raise MaskError(msg)
        fused = fuse(mask, joints, frame)
        if fused is None or fused.coverage < MIN_COVERAGE or len(fused.points_m) < MIN_POINTS:
            coverage = fused.coverage if fused else 0.0
            msg = f"only {100 * coverage:.0f} % of the person's pixels in the colour image have a depth"
            raise MaskError(msg)
        if fused.agreement < MIN_AGREEMENT:
            msg = f"colour and depth disagree: {100 * fused.agreement:.0f} % of the mask is on one person's surfaces"
            raise MaskError(msg, wrong_person=True)
        centre_m = np.median(fused.points_m, axis=0).astype(np.float64)
        if centre_m[2] > self._maximum_distance_m:
            msg = f"the person is {centre_m[2]:.1f} m away, more than maximum_distance_m"
            raise MaskError(msg, wrong_person=True)
        problem = implausible_points(fused.points_m, largest_extent_m(fused.points_m))
        if problem:
            raise MaskError(problem, wrong_person=True)
        if not selector.accepts(centre_m, frame.stamp_ns):
            msg = "the person found in the colour image is not the subject"
            raise MaskError(msg, wrong_person=True)
        selector.confirm(centre_m, frame.stamp_ns)
        return fused
