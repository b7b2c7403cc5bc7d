"""The body fit's objective: its derivatives against finite differences."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.objective import (
    MOVING_JOINTS,
    SHAPE_START,
    JointJacobian,
    JointTerms,
    cost,
    empty_jacobian,
    forward,
    joint_jacobian,
    normal_equations,
)
from rehab_pose.body.priors import HINGES
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = load_body_model()
SHAPEDIRS = np.ascontiguousarray(MODEL.joint_shapedirs)


@dataclasses.dataclass(frozen=True)
class Instance:
    """A random instance of the objective."""

    unknowns: NDArray[np.float64]
    base: NDArray[np.float64]

    def pose(self, unknowns: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        positions, rotations = np.empty((24, 3)), np.empty((24, 3, 3))
        rest = MODEL.joints(unknowns[SHAPE_START:])
        forward(unknowns, self.base, rest, positions, rotations)
        return positions, rotations

    def jacobian(self) -> JointJacobian:
        jacobian: JointJacobian = empty_jacobian(len(self.unknowns), SHAPEDIRS.shape[2])
        joint_jacobian(self.unknowns, *self.pose(self.unknowns), SHAPEDIRS, jacobian)
        return jacobian


def random_instance(seed: int) -> Instance:
    random = np.random.default_rng(seed)
    base = matrices_from_axis_angles(random.normal(size=3))
    return Instance(random.normal(0.0, 0.6, SHAPE_START + 10), base)


def test_the_jacobian_is_the_derivative_of_the_joints() -> None:
    instance = random_instance(0)
    jacobian = instance.jacobian()
    dense = np.zeros((24, 3, len(instance.unknowns)))
    for joint in range(24):
        for place, column in enumerate(jacobian.columns[joint]):
            if column >= 0:
                dense[joint, :, column] = jacobian.blocks[joint, :, place]
    step = 1e-6
    numeric = np.stack(
        [
            (instance.pose(instance.unknowns + step * unit)[0] - instance.pose(instance.unknowns - step * unit)[0])
            / (2.0 * step)
            for unit in np.eye(len(instance.unknowns))
        ],
        axis=-1,
    )
    np.testing.assert_allclose(dense, numeric, atol=1e-6 * np.abs(numeric).max())
    assert np.abs(dense[:, :, 3:]).max() > 0.1


def test_the_gradient_is_the_derivative_of_the_cost() -> None:
    instance, random = random_instance(1), np.random.default_rng(2)
    size = len(instance.unknowns)
    target, weight = random.normal(size=(24, 3)), random.uniform(1.0, 3.0, 24)
    weight[3], target[3] = 0.0, np.nan
    centre, precision = random.normal(size=size), random.uniform(0.1, 2.0, size)
    hinge = np.pad(0.01 * HINGES, (0, 10))
    terms = JointTerms(instance.base, MODEL.joint_template, SHAPEDIRS, target, weight, centre, precision, hinge)
    hessian, gradient = np.empty((size, size)), np.empty(size)
    positions, _ = instance.pose(instance.unknowns)
    normal_equations(instance.unknowns, positions, terms, instance.jacobian(), hessian, gradient)

    def value(unknowns: NDArray[np.float64]) -> float:
        return float(cost(unknowns, instance.pose(unknowns)[0], terms))

    step = 1e-6
    numeric = [
        (value(instance.unknowns + step * unit) - value(instance.unknowns - step * unit)) / (4.0 * step)
        for unit in np.eye(size)
    ]
    np.testing.assert_allclose(gradient, numeric, atol=1e-6 * np.abs(gradient).max())


def test_only_the_leaf_joints_have_no_rotation() -> None:
    ends = {SMPL_24.joint_names[j] for j in range(24)} - {SMPL_24.joint_names[j] for j in MOVING_JOINTS} - {"pelvis"}
    assert ends == {"left_foot", "right_foot", "head", "left_hand", "right_hand"}
