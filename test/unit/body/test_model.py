"""BodyModel: the free body's proportions, posing against plain numpy and smplx, damaged and hostile files."""

from __future__ import annotations

import copyreg
import pickle
import sys
import types
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.body.loader import FREE_BODY_PATH, load_body_model
from rehab_pose.body.model import BodyModel
from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.errors import ContractError, ModelFileError
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def random_parameters(seed: int) -> BodyParameters:
    random = np.random.default_rng(seed)
    return BodyParameters(random.normal(size=10), random.normal(0.0, 0.5, (24, 3)), random.normal(size=3))


def posed_plainly(model: BodyModel, parameters: BodyParameters) -> NDArray[np.float64]:
    """Return the surface (V, 3) [m] by SMPL's formula with 4 x 4 matrices."""
    shaped = model.v_template + model.shapedirs.astype(np.float64) @ parameters.betas
    joints = model.joint_regressor @ shaped
    local = np.tile(np.eye(4), (24, 1, 1))
    local[:, :3, :3] = matrices_from_axis_angles(parameters.rotations_rad)
    if model.posedirs is not None:
        shaped = shaped + model.posedirs.astype(np.float64) @ (local[1:, :3, :3] - np.eye(3)).ravel()
    world = np.empty((24, 4, 4))
    for joint, parent in enumerate(SMPL_24.parents):
        local[joint, :3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0.0)
        world[joint] = local[joint] if parent < 0 else world[parent] @ local[joint]
    world[:, :3, 3] -= np.einsum("jab,jb->ja", world[:, :3, :3], joints)
    blended = np.tensordot(model.weights.astype(np.float64), world, axes=1)
    posed = np.einsum("vab,vb->va", blended, np.pad(shaped, ((0, 0), (0, 1)), constant_values=1.0))[:, :3]
    return np.asarray(posed + parameters.translation_m)


def with_posedirs(model: BodyModel) -> BodyModel:
    random = np.random.default_rng(0)
    posedirs = random.normal(0.0, 0.002, (len(model.v_template), 3, 207)).astype(np.float32)
    return BodyModel("test", model.v_template, model.shapedirs, posedirs, model.joint_regressor, model.weights,
                     model.faces, None)  # fmt: skip


def arrays_of_the_free_body() -> dict[str, NDArray[Any]]:
    with np.load(FREE_BODY_PATH) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("corrected", [False, True])
def test_posing_agrees_with_smpls_formula(seed: int, *, corrected: bool) -> None:
    model = with_posedirs(load_body_model()) if corrected else load_body_model()
    parameters = random_parameters(seed)
    np.testing.assert_allclose(pose_vertices(model, parameters), posed_plainly(model, parameters), atol=2e-6)


def test_posing_agrees_with_smplx_on_the_same_file() -> None:
    smplx = pytest.importorskip("smplx")
    torch = pytest.importorskip("torch")
    arrays = arrays_of_the_free_body()
    arrays = {name: arrays[name] for name in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f",
                                              "kintree_table")}  # fmt: skip
    arrays["kintree_table"] = arrays["kintree_table"].astype(np.int64)
    oracle = smplx.SMPL("", data_struct=smplx.utils.Struct(**arrays), dtype=torch.float64, num_betas=10)
    model, parameters = load_body_model(), random_parameters(3)

    def tensor(values: NDArray[np.float64]) -> Any:  # noqa: ANN401
        return torch.tensor(np.array(values), dtype=torch.float64)[None]

    with torch.no_grad():
        output = oracle(
            betas=tensor(parameters.betas),
            global_orient=tensor(parameters.rotations_rad[0]),
            body_pose=tensor(parameters.rotations_rad[1:].ravel()),
            transl=tensor(parameters.translation_m),
        )
    np.testing.assert_allclose(pose_vertices(model, parameters), output.vertices[0].numpy(), atol=1e-6)
    np.testing.assert_allclose(pose_joints(model, parameters)[0], output.joints[0, :24].numpy(), atol=1e-6)


def test_joints_move_with_the_rotations_of_their_parents() -> None:
    model, parameters = load_body_model(), random_parameters(4)
    positions, rotations = pose_joints(model, parameters)
    rest = model.joints(parameters.betas)
    for joint, parent in enumerate(SMPL_24.parents):
        if parent >= 0:
            bone = positions[parent] + rotations[parent] @ (rest[joint] - rest[parent])
            np.testing.assert_allclose(positions[joint], bone, atol=1e-12)


def test_the_free_body_has_smpls_pose_at_rest() -> None:
    model = load_body_model()
    joints = dict(zip(SMPL_24.joint_names, model.joints(np.zeros(10)), strict=True))
    assert 1.6 < np.ptp(model.v_template[:, 1]) < 1.8
    assert joints["left_wrist"][0] > joints["left_elbow"][0] > joints["left_shoulder"][0] > 0.1
    assert joints["head"][1] > joints["neck"][1] > joints["spine3"][1] > joints["spine2"][1] > joints["spine1"][1] > 0
    assert joints["left_hip"][1] > joints["left_knee"][1] > joints["left_ankle"][1] > joints["left_foot"][1]
    assert joints["left_foot"][2] > joints["left_ankle"][2] + 0.08
    mirrored = model.joints(np.zeros(10))[SMPL_24.mirror] * [-1.0, 1.0, 1.0]
    np.testing.assert_allclose(model.joints(np.zeros(10)), mirrored, atol=0.006)
    np.testing.assert_allclose(joints["pelvis"], 0.0, atol=0.005)


def test_the_free_body_is_small_closed_and_labelled() -> None:
    model = load_body_model()
    assert FREE_BODY_PATH.stat().st_size <= 4_000_000
    assert len(model.v_template) == 6_890
    edges = np.concatenate([model.faces[:, [0, 1]], model.faces[:, [1, 2]], model.faces[:, [2, 0]]])
    assert {(int(a), int(b)) for a, b in edges} == {(int(b), int(a)) for a, b in edges}
    corners = model.v_template.astype(np.float64)[model.faces]
    volume = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6.0
    assert 0.045 < volume < 0.1
    assert np.count_nonzero(model.weights, axis=1).max() <= 4
    assert model.part_labels is not None
    assert set(np.unique(model.part_labels)) == {2, 5, 9, 13, 14, 15, 18, 19}


def test_shape_coefficients_are_standard_deviations_of_adults() -> None:
    model = load_body_model()
    heights = []
    for coefficient in (-2.0, 2.0):
        parameters = BodyParameters(np.array([coefficient]), np.zeros((24, 3)), np.zeros(3))
        heights.append(np.ptp(pose_vertices(model, parameters)[:, 1]))
    assert 1.4 < heights[0] < 1.6
    assert 1.8 < heights[1] < 2.0
    with pytest.raises(ContractError, match="at most 10"):
        model.joints(np.zeros(11))


def write_pickle(path: Path, content: object) -> str:
    path.write_bytes(pickle.dumps(content, protocol=2))
    return str(path)


def test_an_official_looking_pickle_gives_the_same_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SMPL's own files hold chumpy arrays and a sparse matrix, under module names that need not be installed."""
    from scipy.sparse import csc_matrix  # noqa: PLC0415

    chumpy, inner = types.ModuleType("chumpy"), types.ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x: NDArray[Any]) -> None:
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    inner.Ch = Ch  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "chumpy", chumpy)
    monkeypatch.setitem(sys.modules, "chumpy.ch", inner)
    arrays: dict[str, Any] = arrays_of_the_free_body()
    del arrays["source"], arrays["part_labels"]
    arrays["shapedirs"], arrays["J_regressor"] = Ch(arrays["shapedirs"]), csc_matrix(arrays["J_regressor"])
    path = write_pickle(tmp_path / "basicModel.pkl", arrays)
    monkeypatch.delitem(sys.modules, "chumpy.ch")
    model, parameters = load_body_model(path), random_parameters(5)
    np.testing.assert_array_equal(pose_vertices(model, parameters), pose_vertices(load_body_model(), parameters))
    assert model.model_id.startswith("basicModel-")


class Hostile:
    """A pickle that would write a file when it is loaded."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({str(self.victim)!r}, 'w').close()",)


def test_a_hostile_pickle_is_refused_without_running_it(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    path = write_pickle(tmp_path / "evil.pkl", {"v_template": Hostile(victim)})
    with pytest.raises(ModelFileError, match="was not run"):
        load_body_model(path)
    assert not victim.exists()


@pytest.mark.parametrize("callee", [copyreg.__newobj__, getattr, pickle.loads, np.load])  # type: ignore[attr-defined]
def test_functions_that_are_not_listed_are_refused(callee: object, tmp_path: Path) -> None:
    path = write_pickle(tmp_path / "call.pkl", {"f": callee})
    with pytest.raises(ModelFileError):
        load_body_model(path)


def test_the_restricted_constructor_builds_listed_classes_only(tmp_path: Path) -> None:
    path = tmp_path / "object.pkl"
    path.write_bytes(b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR.")
    with pytest.raises(ModelFileError, match="unknown way"):
        load_body_model(str(path))


@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
@pytest.mark.parametrize("length", [0, 10, 200_000])
def test_a_truncated_file_is_an_error_that_names_the_file(suffix: str, length: int, tmp_path: Path) -> None:
    content = FREE_BODY_PATH.read_bytes() if suffix == ".npz" else pickle.dumps(arrays_of_the_free_body(), protocol=2)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(content[:length])
    with pytest.raises(ModelFileError, match="cut"):
        load_body_model(str(path))


def test_a_damaged_byte_is_an_error(tmp_path: Path) -> None:
    content = bytearray(FREE_BODY_PATH.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path = tmp_path / "damaged.npz"
    path.write_bytes(bytes(content))
    with pytest.raises(ModelFileError, match="damaged"):
        load_body_model(str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": None}, "lacks weights"),
        ({"weights": np.ones((5, 24))}, "weights"),
        ({"kintree_table": np.tile(np.arange(55), (2, 1))}, "24 joints"),
        ({"f": np.full((13776, 3), 10**6)}, "vertex indices"),
        ({"v_template": np.full((6890, 3), np.nan)}, "finite"),
    ],
)
def test_missing_or_invalid_arrays_are_an_error(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    arrays = {**arrays_of_the_free_body(), **change}
    path = tmp_path / "other.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(ModelFileError, match=message):
        load_body_model(str(path))


def test_object_arrays_in_an_npz_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "objects.npz"
    np.savez(path, v_template=np.array([Hostile(tmp_path / "victim")], dtype=object))
    with pytest.raises(ModelFileError, match="damaged or not"):
        load_body_model(str(path))
    assert not (tmp_path / "victim").exists()
    assert zipfile.is_zipfile(path)


@pytest.mark.parametrize("name", ["absent.npz", "model.txt"])
def test_a_missing_file_or_another_format_is_an_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("not a model")
    with pytest.raises(ModelFileError, match="expected a"):
        load_body_model(str(tmp_path / name))
