"""The subject from colour and depth, with the tests that the image network's mask has to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.silhouette.candidates import implausible_points, largest_extent_m
from rehab_pose.silhouette.carried_label import PreviousSubject, kept_fraction
from rehab_pose.silhouette.color_check import unusable_color
from rehab_pose.silhouette.mask_fusion import carry, fuse
from rehab_pose.silhouette.mask_warping import mask_in_box

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
MIN_KEPT = 0.5
"""Smallest fraction of the subject's unchanged pixels that have to be on it in the next frame."""
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
        self._previous: PreviousSubject | None = None

    def reset(self) -> None:
        """Forget the subject of earlier frames."""
        self._previous = None

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
        fused, mask_stamp_ns = self._fuse_or_carry(frame, joints)
        previous = self._previous
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
        jumped = (
            previous is not None
            and previous.precedes(frame)
            and kept_fraction(previous, frame, fused.box_px, fused.inside) < MIN_KEPT
        )
        if jumped or not selector.accepts(centre_m, frame.stamp_ns):
            msg = "the person found in the colour image is not the subject"
            raise MaskError(msg, wrong_person=True)
        selector.confirm(centre_m, frame.stamp_ns)
        self._previous = PreviousSubject(frame, joints, fused.box_px, fused.inside, float(centre_m[2]), mask_stamp_ns)
        return fused

    def _fuse_or_carry(self, frame: RgbdFrame, joints: ImageJoints) -> tuple[FusedSilhouette | None, int]:
        """Return the silhouette, and the stamp of the mask that it goes back to [ns].

        Raises:
            MaskError: There is no mask that is new enough.
        """
        if joints.mask is not None:
            mask = mask_in_box(joints.mask, frame.intrinsics.width_px, frame.intrinsics.height_px)
            if mask is None:
                msg = "the person's mask in the colour image is empty"
                raise MaskError(msg)
            return fuse(mask, joints, frame), frame.stamp_ns
        previous = self._previous
        if previous is None or not previous.precedes(frame):
            msg = "there is no recent mask of the person"
            raise MaskError(msg)
        return carry(previous, joints, frame), previous.mask_stamp_ns
