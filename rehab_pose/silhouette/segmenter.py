"""Segmentation of the subject: from colour and depth where the image network follows it, else from depth alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from rehab_pose.datatypes import ImageJoints, RgbdFrame, Silhouette
from rehab_pose.geometry.floor import FloorTracker, up_of_floor
from rehab_pose.silhouette.border_refinement import ReducedSilhouette, refine_to_full_resolution
from rehab_pose.silhouette.bounding_box import bounding_box
from rehab_pose.silhouette.candidates import Measured, measured_people
from rehab_pose.silhouette.depth_people import SURE, PeopleFinder, PeopleImage, PreviousImage
from rehab_pose.silhouette.fused_subject import FusedSubject, MaskError
from rehab_pose.silhouette.gravity_check import GravityCheck
from rehab_pose.silhouette.people_watch import PeopleWatch
from rehab_pose.silhouette.proposals import Proposer
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.silhouette.status import SilhouetteSource, SilhouetteStatus

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import SeenPerson
    from rehab_pose.silhouette.subject_selection import Candidate

__all__ = ["SilhouetteSegmenter"]

T = TypeVar("T", bound=np.generic)

MAX_SPEED_M_S, MIN_REACH_M = 3.0, 0.12
"""Limit on the growth of the silhouette between two frames: the speed of a hand in an exercise, but at least a margin
for the sensor's noise. A faster part is included one frame later [m/s, m]."""
DEPTH_ONLY_CONFIDENCE = 0.7
"""Factor on the confidence of a silhouette for which colour was expected and could not be used; chosen."""


class SilhouetteSegmenter:
    """Segments the subject in RGB-D frames."""

    def __init__(self, settings: SilhouetteSettings | None = None) -> None:
        """Load the network if the method of the settings has one.

        Raises:
            ModelFileError: Its weights cannot be used.
        """
        self._settings = settings or SilhouetteSettings()
        self._finder = PeopleFinder(self._settings)
        self._fused = FusedSubject(self._settings) if self._settings.method == "fused" else None
        self._floor = FloorTracker()
        self._floor_stamp_ns = -1
        self._gravity_check = GravityCheck()
        self._watch = PeopleWatch(self._settings)
        self._previous_subject: PreviousImage | None = None
        self._status = SilhouetteStatus(SilhouetteSource.NONE, "no frame yet")
        self._proposer = Proposer()
        self._proposal: Silhouette | None = None

    @property
    def model_id(self) -> str:
        """Name and hash of the weights, or the method's name."""
        return self._finder.model_id

    @property
    def status(self) -> SilhouetteStatus:
        """From what the newest silhouette was computed, and why not from more; or why there is none."""
        return self._status

    @property
    def proposal(self) -> Silhouette | None:
        """The most probable person of the newest frame where no subject was found; None if there is not even that.

        It failed a test on depth and is no result, but the image network may confirm it: a person cut by the image, or
        one in a posture that is rare.
        """
        return self._proposal

    @property
    def people(self) -> tuple[SeenPerson, ...]:
        """Everybody who was seen since the reset, by number."""
        return self._watch.people

    def watch_everybody(self, *, wanted: bool) -> None:
        """Look at all people in view twice a second, or only as far as the selection of the subject needs it."""
        self._watch.wanted = wanted

    def follow(self, person: SeenPerson) -> None:
        """Follow a person of `people` from the next frame on; may be called by any thread."""
        self._watch.choose(person)

    @property
    def alternates(self) -> bool:
        """True if the network on depth ran in the newest frame of a fast camera, and not in the one before."""
        return self._finder.alternates

    def reset(self) -> None:
        """Discard the floor and the subject (time jumped back, or another camera)."""
        self._floor.reset()
        self._floor_stamp_ns = -1
        self._gravity_check = GravityCheck()
        self._watch.reset()
        self._finder.reset()
        if self._fused is not None:
            self._fused.reset()
        self._previous_subject = None
        self._proposal = None

    @property
    def floor_plane(self) -> NDArray[np.float64]:
        """The floor plane (4) as in `FloorPlane.plane`, estimated from all frames since the reset; NaN = unknown."""
        return self._floor.plane

    def process(self, item: RgbdFrame | None) -> Silhouette | None:
        """Return the subject's silhouette without the image network, or None when no person is in view."""
        return None if item is None else self.segment(item)

    def segment(self, frame: RgbdFrame, image_joints: ImageJoints | None = None) -> Silhouette | None:
        """Return the subject's silhouette, or None when no person is in view.

        Args:
            frame: Colour and depth. The same frame may be given again when its landmarks have been found.
            image_joints: Landmarks of the same frame, with or without a mask; None if there are none.
        """
        if frame.stamp_ns != self._floor_stamp_ns:
            self._floor_stamp_ns = frame.stamp_ns
            self._floor.track(frame.depth_m, frame.intrinsics, frame.up)
        up = up_of_floor(self._floor.plane)
        up = frame.up if up is None else up
        self._proposal = None
        self._watch.apply_choice(frame.stamp_ns)
        if image_joints is not None and self._gravity_check.contradicts(image_joints, up, frame.up):
            self._floor.refuse()
            up = frame.up
        if self._fused is None:
            return self._from_depth(frame, up, "", wrong_person=False)
        try:
            fused = self._fused.segment(frame, image_joints, self._watch.selector)
        except MaskError as error:
            return self._from_depth(frame, up, str(error), wrong_person=error.wrong_person)
        self._previous_subject = None
        self._status = SilhouetteStatus(SilhouetteSource.FUSED)
        silhouette = _cut_out(frame, fused.box_px, fused.inside, fused.usable_depth, fused.confidence, up)
        self._watch.look_at_subject(silhouette, self._floor.plane)
        if self._watch.everybody_is_due(frame.stamp_ns):
            people = self._finder.find(frame, up, self._floor.plane)
            self._candidates(frame, people, measured_people(people, self._settings), up)
        return silhouette

    def _candidates(
        self, frame: RgbdFrame, people: PeopleImage, measured: list[Measured], up: NDArray[np.float64]
    ) -> list[Candidate]:
        """Return who can be the subject among the people in a frame."""
        plausible = [entry.candidate for entry in measured if not entry.problem]
        return self._watch.identified(frame, people, plausible, up, self._floor.plane)

    def _from_depth(
        self, frame: RgbdFrame, up: NDArray[np.float64], reason: str, *, wrong_person: bool
    ) -> Silhouette | None:
        """Return the subject's silhouette without the image network.

        Args:
            frame: Colour and depth.
            up: (3) against gravity; NaN = unknown.
            reason: The reason why colour cannot be used; empty if it is not expected.
            wrong_person: As in `SilhouetteStatus`.
        """
        people = self._finder.find(frame, up, self._floor.plane)
        measured = measured_people(people, self._settings)
        subject = self._watch.selector.select(self._candidates(frame, people, measured, up), frame.stamp_ns)
        if subject is None:
            self._previous_subject = None
            missing = _reason_without_subject(measured)
            self._status = SilhouetteStatus(
                SilhouetteSource.NONE, f"{reason}; {missing}" if reason else missing, wrong_person
            )
            self._proposal = self._propose(frame, people, measured, up)
            return None
        inside = self._within_reach(frame, people, subject)
        color = self._settings.method == "deeplabv3plus"
        self._status = SilhouetteStatus(
            SilhouetteSource.COLOR if color else SilhouetteSource.DEPTH, reason, wrong_person
        )
        confidence = float(people.probability[inside].mean()) * (DEPTH_ONLY_CONFIDENCE if reason else 1.0)
        return _refined(frame, people, inside, confidence, up)

    def _within_reach(self, frame: RgbdFrame, people: PeopleImage, subject: Candidate) -> NDArray[np.bool_]:
        """Return the part of the subject (h, w) that it can have reached since the previous frame.

        This excludes surfaces of other people and of furniture that touch the subject's for a moment.
        """
        selected: NDArray[np.bool_] = people.labels == subject.label
        previous = self._previous_subject
        self._previous_subject = PreviousImage(frame.stamp_ns, selected.astype(np.float32))
        if previous is None or not previous.precedes(frame.stamp_ns, selected.shape):
            return selected
        moved_m = max(MIN_REACH_M, MAX_SPEED_M_S * (frame.stamp_ns - previous.stamp_ns) * 1e-9)
        reach_px = round(moved_m * people.intrinsics.fx / float(subject.centre_m[2]))
        reachable = cv2.dilate(previous.image, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)) > 0
        within = _main_part(selected & reachable)
        if not within.any():
            return selected
        self._previous_subject = PreviousImage(frame.stamp_ns, within.astype(np.float32))
        return within

    def _propose(
        self, frame: RgbdFrame, people: PeopleImage, measured: list[Measured], up: NDArray[np.float64]
    ) -> Silhouette | None:
        """Return one of the groups of surfaces that may be a person as a silhouette; another one in each frame."""
        if self._fused is None:
            return None
        inside = self._proposer.propose(people, measured, self._floor.plane)
        if inside is None:
            return None
        # Not refined: the probability of the depth network contradicts it.
        size = (frame.intrinsics.width_px, frame.intrinsics.height_px)
        in_camera = _turned_back(inside, people.turns).astype(np.uint8)
        full = cv2.resize(in_camera, size, interpolation=cv2.INTER_NEAREST) > 0
        x, y, width, height = cv2.boundingRect(full.astype(np.uint8))
        part = full[y : y + height, x : x + width]
        return _cut_out(frame, (x, y, width, height), part, part, 0.0, up)


def _reason_without_subject(measured: list[Measured]) -> str:
    """Return why no subject was found among the groups of surfaces."""
    if not measured:
        return "no surface in the depth image belongs to a person"
    if all(entry.problem for entry in measured):
        return max(measured, key=lambda entry: entry.candidate.relative_area).problem
    return "the followed person is not in view, another one is not followed yet"


def _main_part(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest connected part (Eq 5) with the pieces separated from it by at most two pixels."""
    rows, columns = bounding_box(inside)
    reach = slice(max(rows.start - 1, 0), rows.stop + 1), slice(max(columns.start - 1, 0), columns.stop + 1)
    part = np.ascontiguousarray(inside[reach])
    near = cv2.dilate(part.view(np.uint8), np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    if count <= 2:
        return inside
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    main = np.zeros_like(inside)
    main[reach] = part & (labels == largest)
    return main


def _refined(
    frame: RgbdFrame, people: PeopleImage, inside: NDArray[np.bool_], confidence: float, up: NDArray[np.float64]
) -> Silhouette | None:
    """Return the silhouette of some pixels (h, w) of the reduced image, its border refined at full resolution."""
    other_person = (people.labels > 0) & np.isfinite(people.depth_m)
    sure, sure_other = people.probability > SURE, (people.probability < 1.0 - SURE) | other_person
    reduced = ReducedSilhouette(
        person=_turned_back(inside, people.turns),
        surely_person=_turned_back(inside & sure, people.turns),
        surely_other=_turned_back(~inside & sure_other, people.turns),
        depth_m=_turned_back(people.depth_m, people.turns),
        rows=people.rows,
        columns=people.columns,
    )
    box_px, full_inside = refine_to_full_resolution(reduced, frame.depth_m, frame.color)
    if not full_inside.any():
        return None
    return _cut_out(frame, box_px, full_inside, full_inside, confidence, up)


def _turned_back(image: NDArray[T], turns: int) -> NDArray[T]:
    """Return an upright reduced image as the camera saw it."""
    return np.ascontiguousarray(np.rot90(image, -turns))


def _cut_out(
    frame: RgbdFrame,
    box_px: tuple[int, int, int, int],
    inside: NDArray[np.bool_],
    usable_depth: NDArray[np.bool_],
    confidence: float,
    up: NDArray[np.float64],
) -> Silhouette:
    """Return the silhouette with the colour and depth of the person's pixels only (Eq 8)."""
    x, y, width, height = box_px
    part = frame.color[y : y + height, x : x + width]
    color = cv2.bitwise_and(part, part, mask=np.ascontiguousarray(inside).view(np.uint8)).astype(np.uint8, copy=False)
    depth_m = np.where(usable_depth, frame.depth_m[y : y + height, x : x + width], np.float32(np.nan))
    return Silhouette(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        intrinsics=frame.intrinsics,
        box_px=box_px,
        inside=inside,
        color=color,
        depth_m=depth_m,
        confidence=confidence,
        up=up,
    )
