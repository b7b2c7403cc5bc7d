"""Clothes of the simulated person: colours by LIP class, a pattern with corners for keypoint detectors, loose cloth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel

__all__ = ["cloth_fractions", "face_colors", "vertex_texture"]

SHIRTS = ((196.0, 78.0, 66.0), (70.0, 132.0, 180.0), (96.0, 160.0, 92.0), (206.0, 176.0, 84.0))
TROUSERS = ((58.0, 66.0, 92.0), (92.0, 84.0, 78.0), (70.0, 92.0, 84.0))
SKINS = ((224.0, 178.0, 150.0), (190.0, 138.0, 104.0), (132.0, 92.0, 68.0))
HAIRS = ((54.0, 40.0, 32.0), (120.0, 92.0, 60.0), (90.0, 90.0, 92.0))
SHOES = (228.0, 226.0, 220.0)
HAIR, UPPER_CLOTHES, PANTS, FACE, LEFT_ARM, RIGHT_ARM, LEFT_SHOE, RIGHT_SHOE = 2, 5, 9, 13, 14, 15, 18, 19
"""Classes of LIP (Gong et al. 2017)."""
PATTERN_M = 0.11
"""Size of the checks on the clothes [m]."""
PATTERN_CONTRAST, SKIN_CONTRAST = 0.22, 0.05
"""Amplitude of the checks' brightness on clothes, and on skin and hair."""
LOOSENESS_BY_JOINT = {
    **dict.fromkeys(("pelvis", "left_hip", "right_hip", "spine1", "spine2", "spine3"), 1.0),
    **dict.fromkeys(("left_collar", "right_collar"), 0.7),
    **dict.fromkeys(("left_shoulder", "right_shoulder", "left_knee", "right_knee"), 0.4),
}
"""Looseness (0-1) of the cloth over the surface that each joint moves; 0 on head, forearms, hands and feet."""
FOLD_M = 0.35
"""Size of the folds and bulges of loose cloth [m]."""
MIN_LOOSENESS = 0.3
"""Fraction of the maximum distance that remains between the folds."""


def face_colors(model: BodyModel, seed: int) -> NDArray[np.float32]:
    """Return a colour (F, 3) RGB, 0-255, of every triangle; a model without part labels gets the shirt's colour."""
    random = np.random.default_rng([seed, 8])
    shirt, trousers, skin, hair = (
        choices[random.integers(len(choices))] for choices in (SHIRTS, TROUSERS, SKINS, HAIRS)
    )
    palette = np.tile(np.array(shirt, dtype=np.float32), (20, 1))
    palette[[HAIR]] = hair
    palette[[UPPER_CLOTHES]] = shirt
    palette[[PANTS]] = trousers
    palette[[FACE, LEFT_ARM, RIGHT_ARM]] = skin
    palette[[LEFT_SHOE, RIGHT_SHOE]] = SHOES
    if model.part_labels is None:
        return np.tile(np.array(shirt, dtype=np.float32), (len(model.faces), 1))
    return np.ascontiguousarray(palette[model.part_labels])


def vertex_texture(model: BodyModel) -> NDArray[np.float32]:
    """Return a brightness factor of each vertex (V): smooth checks on the clothes, weak ones on skin and hair."""
    wave = 2.0 * np.pi * model.v_template / PATTERN_M
    checks = np.sin(wave[:, 0]) * np.sin(wave[:, 1] + 0.7 * wave[:, 2])
    contrast = np.full(len(checks), PATTERN_CONTRAST)
    if model.part_labels is not None:
        bare = np.isin(model.part_labels, (HAIR, FACE, LEFT_ARM, RIGHT_ARM))
        contrast[model.faces[bare].ravel()] = SKIN_CONTRAST
    return np.asarray(1.0 + contrast * checks, dtype=np.float32)


def cloth_fractions(model: BodyModel, seed: int) -> NDArray[np.float32]:
    """Return the distance of the cloth from each vertex (V) as a fraction (0-1) of the maximum distance.

    It varies smoothly, as the skinning weights do; the folds depend on the seed.
    """
    looseness = np.array([LOOSENESS_BY_JOINT.get(name, 0.0) for name in SMPL_24.joint_names])
    random = np.random.default_rng([seed, 11])
    directions, phases = random.normal(0.0, 1.0, (3, 3)), random.uniform(0.0, 2.0 * np.pi, 3)
    waves = np.sin(2.0 * np.pi / FOLD_M * (model.v_template @ directions.T) + phases).mean(axis=1)
    folds = MIN_LOOSENESS + (1.0 - MIN_LOOSENESS) * (0.5 + 0.5 * waves)
    return np.asarray((model.weights @ looseness) * folds, dtype=np.float32)
