"""Files of SKEL and OSSO, as synthetic files with the same keys and shapes, are read without running code in them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_joints
from rehab_pose.bones.inferrer import BoneInferrer, surface_body
from rehab_pose.bones.licensed import OSSO_PARTS, SKEL_BONES, skel_template
from rehab_pose.bones.licensed_files import read_template
from rehab_pose.bones.shapes import blob, joined
from rehab_pose.datatypes import BodyParameters, Bones
from rehab_pose.errors import ModelFileError
from rehab_pose.results.body_surfaces import posed_surface, surfaces_of
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.bones.licensed import BoneTemplate

MODEL = load_body_model()
REST_M = MODEL.joints(np.zeros(10))
SKEL_PLACES = {
    "pelvis": "pelvis", "femur": "hip", "tibia": "knee", "talus": "ankle", "calcn": "ankle", "toes": "foot",
    "lumbar_body": "spine1", "thorax": "spine3", "head": "head", "scapula": "collar", "humerus": "shoulder",
    "ulna": "elbow", "radius": "elbow", "hand": "wrist",
}  # fmt: skip
SIZE = 1.1
"""Size of the synthetic person relative to the free body."""


def skel_place(name: str) -> NDArray[np.float64]:
    bone, _, letter = name.rpartition("_")
    if letter not in {"l", "r"}:
        return np.asarray(SIZE * REST_M[SMPL_24.index(SKEL_PLACES[name])])
    side = {"l": "left_", "r": "right_"}[letter]
    return np.asarray(SIZE * REST_M[SMPL_24.index(side + SKEL_PLACES[bone])])


def balls(places: list[NDArray[np.float64]]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    shapes = [blob(place, 0.015, sides=6) for place in places]
    shape = joined(shapes)
    return shape.vertices_m, shape.faces, np.repeat(np.arange(len(places)), len(shapes[0].vertices_m))


def skel_arrays() -> dict[str, Any]:
    places = [skel_place(name) for name in SKEL_BONES]
    vertices, faces, owners = balls(places)
    skin = np.zeros((6890, 3))
    skin[: len(places)] = places
    return {
        "skel_template_v": vertices,
        "skel_template_f": faces,
        "skel_weights_rigid": np.eye(24)[owners],
        "J_regressor_osim": np.eye(24, 6890),
        "skin_template_v": skin,
        "version": "1.1.1",
    }


def inferred(template: BoneTemplate, rotations_rad: NDArray[np.float64]) -> Bones:
    parameters = BodyParameters(np.zeros(10), rotations_rad, np.zeros(3))
    body = surface_body(posed_surface(MODEL, parameters), MODEL.model_id, parameters)
    return BoneInferrer(surfaces=surfaces_of(MODEL), template=template).infer_with_meshes(body)


def centre(bones: Bones, name: str) -> NDArray[np.float64]:
    number = bones.names.index(name)
    assert bones.mesh is not None
    return np.asarray(bones.mesh.vertices_m[slice(*bones.mesh.vertex_starts[number : number + 2])].mean(axis=0))


def test_skel_replaces_the_procedural_bones(tmp_path: Path) -> None:
    file = tmp_path / "skel_female.pkl"
    file.write_bytes(pickle.dumps(skel_arrays(), protocol=2))
    rotations_rad = np.zeros((24, 3))
    rotations_rad[SMPL_24.index("left_knee"), 0] = 0.8
    bones = inferred(read_template(file), rotations_rad)
    assert bones.source == "skel"
    assert len(bones.names) == 24
    positions, _ = pose_joints(MODEL, BodyParameters(np.zeros(10), rotations_rad, np.zeros(3)))
    # A ball at a joint of the file is moved to the same joint of the person.
    for name, joint in (("left_femur", "left_hip"), ("left_tibia", "left_knee"), ("right_humerus", "right_shoulder")):
        np.testing.assert_allclose(centre(bones, name), positions[SMPL_24.index(joint)], atol=0.004)
    femur = bones.names.index("left_femur")
    hip, knee = (positions[SMPL_24.index(f"left_{name}")] for name in ("hip", "knee"))
    assert bones.length_m[femur] == pytest.approx(np.linalg.norm(knee - hip), abs=1e-6)


def test_an_incomplete_skel_file_is_an_error_that_names_what_is_missing() -> None:
    arrays = skel_arrays()
    del arrays["skel_weights_rigid"]
    with pytest.raises(ModelFileError, match="lacks skel_weights_rigid"):
        skel_template(arrays)
    arrays = skel_arrays() | {"J_regressor_osim": np.eye(3, 6890)}
    with pytest.raises(ModelFileError, match="expected 24 bones"):
        skel_template(arrays)


def osso_folder(folder: Path) -> Path:
    lying = np.zeros((24, 3))
    lying[SMPL_24.index("left_shoulder")] = (0.0, 0.0, -1.0)
    lying[SMPL_24.index("right_hip")] = (0.2, 0.0, 0.1)
    parameters = BodyParameters(np.zeros(10), lying, np.zeros(3))
    positions, rotations = pose_joints(MODEL, parameters)
    places = []
    for _, _, joint, start, end in OSSO_PARTS:
        number = SMPL_24.index(joint)
        middle = (
            REST_M[SMPL_24.index(start)]
            if not end
            else 0.5 * (REST_M[SMPL_24.index(start)] + REST_M[SMPL_24.index(end)])
        )
        places.append(positions[number] + rotations[number] @ (middle - REST_M[number]))
    vertices, faces, owners = balls(places)
    one = blob([0.0, 0.0, 0.0], 0.015, sides=6).faces
    assert len(faces) == len(places) * len(one)
    contents: dict[str, Any] = {
        "skeleton_model.pkl": {
            "partFaces": [one for _ in places],
            "part2bodyPoints": [np.flatnonzero(owners == part) for part in range(len(places))],
            "names": [name for name, *_ in OSSO_PARTS],
        },
        "skeleton_pca_male.pkl": {"M": vertices, "B": np.zeros((len(vertices), 3, 12))},
        "betas_regressor_male.pkl": np.zeros((11, 12)),
        "lying_pose_male.pkl": lying[1:].ravel(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    star = folder / "model.npz"
    np.savez(star, v_template=MODEL.v_template, J_regressor=MODEL.joint_regressor, shapedirs=MODEL.shapedirs)
    return star


def test_osso_is_moved_from_the_lying_to_the_rest_pose(tmp_path: Path) -> None:
    star = osso_folder(tmp_path)
    bones = inferred(read_template(tmp_path, gender="male", star=star), np.zeros((24, 3)))
    assert bones.source == "osso"
    assert len(bones.names) == 21
    for name, start, end in (
        ("left_humerus", "left_shoulder", "left_elbow"),
        ("right_femur", "right_hip", "right_knee"),
    ):
        middle = 0.5 * (REST_M[SMPL_24.index(start)] + REST_M[SMPL_24.index(end)])
        np.testing.assert_allclose(centre(bones, name), middle, atol=0.004)


def test_osso_needs_star_and_all_its_files(tmp_path: Path) -> None:
    star = osso_folder(tmp_path)
    with pytest.raises(ModelFileError, match="STAR"):
        read_template(tmp_path, gender="male")
    with pytest.raises(ModelFileError, match="skeleton_pca_female"):
        read_template(tmp_path, star=star)
    with pytest.raises(ModelFileError, match="neither"):
        read_template(tmp_path / "elsewhere")


class Hostile:
    """An object whose pickle would create a file."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("created"),)


def test_a_file_that_holds_code_is_refused_without_running_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "skel_male.pkl"
    file.write_bytes(pickle.dumps({"skel_template_v": Hostile()}))
    with pytest.raises(ModelFileError, match="asks for"):
        read_template(file)
    assert not Path("created").exists()
    file.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ModelFileError, match="expected a dictionary"):
        read_template(file)
