"""Splits by subject: no subject is in both parts, so that metrics describe performance on new people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["by_subject", "folds_by_subject", "held_out_subjects"]


def held_out_subjects(clips: Iterable[Clip], fraction: float, seed: int) -> frozenset[tuple[str, str]]:
    """Choose the subjects to hold out, the same fraction of every group of every data set.

    Args:
        clips: All clips.
        fraction: Fraction of each group's subjects to hold out, 0 to 1, rounded to whole subjects.
        seed: The same seed and clips give the same subjects.

    Returns:
        (dataset, subject) pairs.
    """
    rng = np.random.default_rng(seed)
    chosen: list[tuple[str, str]] = []
    for members in _strata(clips):
        order = rng.permutation(len(members))
        chosen.extend(members[place] for place in order[: round(fraction * len(members))])
    return frozenset(chosen)


def folds_by_subject(clips: Iterable[Clip], count: int, seed: int) -> dict[tuple[str, str], int]:
    """Assign the subjects of every group of every data set to folds.

    Args:
        clips: All clips.
        count: Number of folds.
        seed: The same seed and clips give the same folds.

    Returns:
        The fold of each (dataset, subject), 0 to count - 1.
    """
    rng = np.random.default_rng(seed)
    folds: dict[tuple[str, str], int] = {}
    for members in _strata(clips):
        first = int(rng.integers(count))  # otherwise small groups would all use the first folds
        for place, number in enumerate(rng.permutation(len(members))):
            folds[members[number]] = (first + place) % count
    return folds


def by_subject(clips: Sequence[Clip], held_out: frozenset[tuple[str, str]]) -> tuple[list[Clip], list[Clip]]:
    """Return the clips of the other subjects, and those of the held-out ones."""
    training = [clip for clip in clips if (clip.dataset, clip.subject) not in held_out]
    testing = [clip for clip in clips if (clip.dataset, clip.subject) in held_out]
    return training, testing


def _strata(clips: Iterable[Clip]) -> list[list[tuple[str, str]]]:
    """Return the (dataset, subject) pairs of every group of every data set, groups and pairs in order."""
    group_of: dict[tuple[str, str], str] = {}
    for clip in clips:
        group_of.setdefault((clip.dataset, clip.subject), clip.group)
    strata: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for key in sorted(group_of):
        strata.setdefault((key[0], group_of[key]), []).append(key)
    return [strata[stratum] for stratum in sorted(strata)]
