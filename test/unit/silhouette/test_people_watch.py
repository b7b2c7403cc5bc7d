"""PeopleWatch within the segmenter: two simulated people, of whom one leaves, returns, or is chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.room import Room
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from rehab_pose.datatypes import RgbdFrame, Silhouette

SETTINGS = SimulationSettings(exercise="none", people=2, seed=1, shape_seed=3)
SHIFT_PX = -130
"""Movement of the subject to another place in the image [px]."""
STEP_S = 0.25


class Scene:
    """Frames with two people; the subject can be left out or moved to the side."""

    def __init__(self) -> None:
        simulated = SimulatedCamera(SETTINGS).frame(0)
        self._frame, self._subject = simulated.frame, simulated.truth.silhouette
        self._room = Room.from_settings(SETTINGS)
        self.stamp_ns = 0

    def frame(self, shift_px: int | None = 0) -> RgbdFrame:
        """Return the next frame, with the subject moved to the side [px], or without the subject."""
        self.stamp_ns += round(STEP_S * 1e9)
        color, depth_m = self._frame.color.copy(), self._frame.depth_m.copy()
        color[self._subject], depth_m[self._subject] = (
            self._room.color[self._subject],
            self._room.depth_m[self._subject],
        )
        if shift_px is not None:
            place = np.roll(self._subject, shift_px, axis=1)
            color[place], depth_m[place] = self._frame.color[self._subject], self._frame.depth_m[self._subject]
        return replace(self._frame, stamp_ns=self.stamp_ns, color=color, depth_m=depth_m)

    def is_subject(self, silhouette: Silhouette, shift_px: int = 0) -> bool:
        place = np.roll(self._subject, shift_px, axis=1)
        return bool(place[silhouette.full_mask()].mean() > 0.8)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_person_is_followed_again_after_12_s_out_of_view_while_another_one_stays(scene: Scene) -> None:
    segmenter = SilhouetteSegmenter(SilhouetteSettings(method="rgbd"))
    for _ in range(8):
        silhouette = segmenter.segment(scene.frame())
        assert silhouette is not None
        assert scene.is_subject(silhouette)
    for _ in range(round(12.0 / STEP_S)):
        assert segmenter.segment(scene.frame(None)) is None
    found = [segmenter.segment(scene.frame(SHIFT_PX)) for _ in range(4)]
    assert found[-1] is not None
    assert all(scene.is_subject(silhouette, SHIFT_PX) for silhouette in found if silhouette is not None)


def test_the_people_seen_are_listed_and_any_of_them_can_be_followed(scene: Scene) -> None:
    segmenter = SilhouetteSegmenter(SilhouetteSettings(method="rgbd"))
    for _ in range(8):
        segmenter.segment(scene.frame())
    people = segmenter.people
    assert [person.in_view for person in people] == [True, True]
    [other] = [person for person in people if not person.followed]
    segmenter.follow(other)
    silhouettes = [segmenter.segment(scene.frame()) for _ in range(3)]
    assert silhouettes[-1] is not None
    assert not scene.is_subject(silhouettes[-1])
    assert [person.person_id for person in segmenter.people if person.followed] == [other.person_id]
    for _ in range(8):
        segmenter.segment(scene.frame(None))
    assert [person.in_view for person in segmenter.people if person.person_id != other.person_id] == [False]
