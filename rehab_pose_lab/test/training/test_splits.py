"""Splits by subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose_lab.datasets.clip import Clip, clip_from_joints
from rehab_pose_lab.training.splits import by_subject, folds_by_subject, held_out_subjects

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.datatypes import Joints

    Film = Callable[..., list[Joints]]


def clip_of(frames: list[Joints], label: str, subject: str = "s1", group: str = "") -> Clip:
    name = f"{subject}_{label}"
    return clip_from_joints(frames, name=name, dataset="kimore", subject=subject, group=group, label=label)


def test_no_subject_is_in_both_parts_of_a_split(make_film: Film) -> None:
    frames = make_film("none", 0)
    clips = [clip_of(frames, label, f"s{n}", f"g{n % 3}") for n in range(30) for label in ("squat", "arm_lifting")]
    held_out = held_out_subjects(clips, 0.2, seed=1)
    training, testing = by_subject(clips, held_out)
    assert held_out == held_out_subjects(clips, 0.2, seed=1) != held_out_subjects(clips, 0.2, seed=2)
    assert not {clip.subject for clip in training} & {clip.subject for clip in testing}
    assert len(training) + len(testing) == 60
    assert {clip.group for clip in testing} == {"g0", "g1", "g2"}
    assert len({clip.subject for clip in testing}) == 6
    folds = folds_by_subject(clips, 5, seed=1)
    assert len(folds) == 30
    for group in range(3):
        members = [fold for (_, subject), fold in folds.items() if int(subject[1:]) % 3 == group]
        assert sorted(members) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
