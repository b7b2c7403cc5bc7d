"""The body in torch against the compiled one, smplx and finite differences."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.body.loader import FREE_BODY_PATH, load_body_model
from rehab_pose.body.model import BodyModel
from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.errors import ContractError, MissingDependencyError
from rehab_pose.geometry.rotations import matrices_from_axis_angles

torch = pytest.importorskip("torch")

from rehab_pose_lab.methods.body.skinning_torch import TorchBody, rotation_matrices, torch_body  # noqa: E402  (needs torch)

if TYPE_CHECKING:
    from pathlib import Path


MODEL = load_body_model()


def with_posedirs(model: BodyModel) -> BodyModel:
    random = np.random.default_rng(0)
    posedirs = random.normal(0.0, 0.002, (len(model.v_template), 3, 207)).astype(np.float32)
    return BodyModel("test", model.v_template, model.shapedirs, posedirs, model.joint_regressor, model.weights,
                     model.faces, None)  # fmt: skip


def people(count: int, seed: int) -> list[BodyParameters]:
    random = np.random.default_rng(seed)
    return [
        BodyParameters(random.normal(size=10), random.normal(0.0, 0.5, (24, 3)), random.normal(0.0, 0.3, 3))
        for _ in range(count)
    ]


def tensors(bodies: list[BodyParameters]) -> tuple[Any, Any, Any]:
    return (
        torch.tensor(np.array([body.betas for body in bodies])),
        torch.tensor(np.array([body.rotations_rad for body in bodies])),
        torch.tensor(np.array([body.translation_m for body in bodies])),
    )


@pytest.mark.parametrize("corrected", [False, True])
def test_the_torch_body_equals_the_compiled_one(*, corrected: bool) -> None:
    model = with_posedirs(MODEL) if corrected else MODEL
    bodies = people(3, 1)
    surface = TorchBody(model).surface(*tensors(bodies))
    joints = TorchBody(model).joints(*tensors(bodies))
    for index, body in enumerate(bodies):
        np.testing.assert_allclose(surface.vertices_m[index].numpy(), pose_vertices(model, body), atol=1e-6, rtol=0.0)
        np.testing.assert_allclose(joints[index].numpy(), pose_joints(model, body)[0], atol=1e-9, rtol=0.0)
        np.testing.assert_allclose(surface.joints_m[index].numpy(), joints[index].numpy(), atol=1e-12)


@pytest.mark.parametrize("corrected", [False, True])
def test_both_back_ends_agree_on_the_same_file(*, corrected: bool) -> None:
    pytest.importorskip("smplx", reason="smplx is not installed (optional back end, non-commercial licence)")
    model = with_posedirs(MODEL) if corrected else MODEL
    arguments = tensors(people(2, 2))
    native, oracle = torch_body(model, "native"), torch_body(model, "smplx")
    assert native.model is oracle.model
    ours, theirs = native.surface(*arguments), oracle.surface(*arguments)
    assert float((ours.vertices_m - theirs.vertices_m).abs().max()) < 1e-6
    assert float((ours.joints_m - theirs.joints_m).abs().max()) < 1e-6
    shared = torch.zeros(1, 4, dtype=torch.float64)
    pair = [body.joints(shared, *arguments[1:]) for body in (native, oracle)]
    assert pair[0].shape == pair[1].shape == (2, 24, 3)
    assert float((pair[0] - pair[1]).abs().max()) < 1e-6
    with pytest.raises(ContractError, match="at most 10"):
        oracle.joints(torch.zeros(1, 11, dtype=torch.float64), *arguments[1:])


def test_without_smplx_the_native_back_end_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smplx", None)
    assert torch_body(MODEL).model is MODEL
    with pytest.raises(MissingDependencyError, match="native"):
        torch_body(MODEL, "smplx")
    with pytest.raises(ContractError, match="native or smplx"):
        torch_body(MODEL, "other")  # type: ignore[arg-type]


def test_derivatives_of_joints_and_surface_match_finite_differences() -> None:
    body = TorchBody(with_posedirs(MODEL))
    arguments = tuple(values.requires_grad_(True) for values in tensors(people(1, 3)))
    random = torch.Generator().manual_seed(0)
    direction = torch.randn(1, 24, 3, generator=random, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda *values: (body.joints(*values) * direction).sum(), arguments)
    some = torch.randn(len(MODEL.v_template), 3, generator=random, dtype=torch.float64)

    def along(values: tuple[Any, ...]) -> Any:  # noqa: ANN401
        return (body.surface(*values).vertices_m * some).sum()

    gradients = torch.autograd.grad(along(arguments), arguments)
    steps = [torch.randn(values.shape, generator=random, dtype=torch.float64) for values in arguments]
    with torch.no_grad():
        ahead = along(tuple(value + 1e-5 * step for value, step in zip(arguments, steps, strict=True)))
        behind = along(tuple(value - 1e-5 * step for value, step in zip(arguments, steps, strict=True)))
    expected = float(sum((gradient * step).sum() for gradient, step in zip(gradients, steps, strict=True)))
    assert float(ahead - behind) / 2e-5 == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-4, 1e-3, 0.3, 3.0])
def test_rotations_and_their_derivatives_are_exact_down_to_zero(scale: float) -> None:
    vectors = scale * np.random.default_rng(4).normal(size=(5, 3))
    given = torch.tensor(vectors, requires_grad=True)
    np.testing.assert_allclose(
        rotation_matrices(given).detach().numpy(), matrices_from_axis_angles(vectors), atol=1e-14
    )
    assert torch.autograd.gradcheck(rotation_matrices, (given,))


def test_batches_broadcast_and_are_independent() -> None:
    body = TorchBody(MODEL)
    betas, rotations, translation = tensors(people(6, 5))
    clips = body.joints(betas[:2, None], rotations.reshape(2, 3, 24, 3), translation.reshape(2, 3, 3))
    assert clips.shape == (2, 3, 24, 3)
    single = body.joints(betas[1], rotations[4], translation[4])
    with pytest.raises(ContractError, match="at most 10"):
        body.joints(torch.zeros(11, dtype=torch.float64), rotations, translation)
    assert torch.equal(clips[1, 1], single) or torch.allclose(clips[1, 1], single, atol=1e-15)


def write_many_shapes(folder: Path, count: int) -> str:
    with np.load(FREE_BODY_PATH) as archive:
        arrays: dict[str, Any] = {name: archive[name] for name in archive.files if name != "part_labels"}
    extra = np.random.default_rng(6).normal(0.0, 1e-3, (6890, 3, count - 10)).astype(np.float32)
    arrays["shapedirs"] = np.concatenate([arrays["shapedirs"], extra], axis=2)
    path = folder / "SMPL_FEMALE.npz"
    np.savez(path, **arrays)
    return str(path)


def test_the_number_of_shape_coefficients_can_be_chosen(tmp_path: Path) -> None:
    path = write_many_shapes(tmp_path, 300)
    assert load_body_model(path).shape_count == 10
    assert load_body_model(path, shape_count=25).shape_count == 25
    model = load_body_model(path, shape_count=None)
    assert model.shape_count == 300
    assert model.model_id.startswith("SMPL_FEMALE-")
    assert load_body_model("", shape_count=None).shape_count == 10
    with pytest.raises(ContractError, match="at least 1"):
        load_body_model(path, shape_count=0)
    betas = 0.3 * np.random.default_rng(7).normal(size=300)
    body = BodyParameters(betas, people(1, 8)[0].rotations_rad, np.zeros(3))
    vertices = TorchBody(model).surface(*tensors([body])).vertices_m[0]
    np.testing.assert_allclose(vertices.numpy(), pose_vertices(model, body), atol=1e-6, rtol=0.0)
    few = load_body_model(path, shape_count=25)
    short = BodyParameters(betas[:25], body.rotations_rad, np.zeros(3))
    pytest.importorskip("smplx", reason="smplx is not installed (optional back end, non-commercial licence)")
    oracle = torch_body(few, "smplx").surface(*tensors([short])).vertices_m[0]
    np.testing.assert_allclose(
        oracle.numpy(), TorchBody(few).surface(*tensors([short])).vertices_m[0].numpy(), atol=1e-6
    )
