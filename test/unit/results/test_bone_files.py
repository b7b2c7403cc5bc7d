"""Files, pictures and markers of bones."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.bags.writer import BagWriter
from rehab_pose.body.loader import load_body_model
from rehab_pose.bones.inferrer import BoneInferrer, surface_body
from rehab_pose.cli.main import main
from rehab_pose.datatypes import BodyParameters, Bones
from rehab_pose.errors import ContractError
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import depth_millimetres, image_message
from rehab_pose.results.body_surfaces import posed_surface
from rehab_pose.results.bone_files import PLY_FACE, write_bones
from rehab_pose.ros.adapters.markers import CYLINDER, TRIANGLE_LIST, bone_mesh_marker, rod_markers, rod_poses
from rehab_pose.ros.io.message_factory import RosMessageFactory
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path


PLY_VERTEX = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4")])


@pytest.fixture(scope="module")
def bones() -> Bones:
    model = load_body_model()
    parameters = BodyParameters(np.zeros(10), np.zeros((24, 3)), np.array([0.0, 0.0, 2.0]))
    body = surface_body(posed_surface(model, parameters), model.model_id, parameters)
    return BoneInferrer().infer_with_meshes(body)


def read_ply(path: Path) -> tuple[list[str], Any, Any]:
    header, _, content = path.read_bytes().partition(b"end_header\n")
    lines = header.decode("ascii").splitlines()
    counts = [int(line.split()[2]) for line in lines if line.startswith("element")]
    vertices = np.frombuffer(content, PLY_VERTEX, counts[0])
    faces = np.frombuffer(content, PLY_FACE, counts[1], PLY_VERTEX.itemsize * counts[0])
    assert PLY_VERTEX.itemsize * counts[0] + PLY_FACE.itemsize * counts[1] == len(content)
    return lines, vertices, faces


def test_the_skeleton_file_and_the_files_of_bones_agree(bones: Bones, tmp_path: Path) -> None:
    count = write_bones(tmp_path, bones)
    assert count == len([path for path in tmp_path.rglob("*") if path.is_file()])
    lines, vertices, faces = read_ply(tmp_path / "skeleton.ply")
    mesh = bones.mesh
    assert mesh is not None
    np.testing.assert_array_equal(np.stack([vertices[axis] for axis in "xyz"], axis=1), mesh.vertices_m)
    np.testing.assert_array_equal(faces["corners"], mesh.faces)
    number = bones.names.index("L4")
    assert f"comment bone {number} L4" in lines
    _, part, part_faces = read_ply(tmp_path / "parts" / "L4.ply")
    of_bone = faces["bone"] == number
    assert of_bone.sum() == len(part_faces)
    np.testing.assert_array_equal(part["x"][part_faces["corners"]], vertices["x"][faces["corners"][of_bone]])


def test_the_tables_contain_all_bones_and_joints(bones: Bones, tmp_path: Path) -> None:
    write_bones(tmp_path, bones)
    with (tmp_path / "bones.csv").open() as file:
        rows = {row["bone"]: row for row in csv.DictReader(file)}
    assert tuple(rows) == bones.names
    femur = rows["left_femur"]
    assert (femur["side"], femur["parent"], femur["source"]) == ("left", "left_hip_bone", "procedural")
    assert float(femur["length_m"]) == pytest.approx(bones.length_m[bones.names.index("left_femur")], abs=1e-6)
    with (tmp_path / "joints.csv").open() as file:
        assert "L5_S1" in {row["joint"] for row in csv.DictReader(file)}


def test_bones_without_meshes_are_refused(bones: Bones, tmp_path: Path) -> None:
    bones_without_mesh = Bones(0, "", bones.names, bones.camera_from_bone, bones.length_m, bones.radius_m)
    with pytest.raises(ContractError, match="infer_with_meshes"):
        write_bones(tmp_path, bones_without_mesh)


def test_markers_are_cylinders_without_meshes_and_one_mesh_with_them(bones: Bones) -> None:
    factory: Any = RosMessageFactory()
    assert bones.mesh is not None
    mesh = bone_mesh_marker(factory, bones, bones.mesh).markers
    assert [marker.type for marker in mesh] == [TRIANGLE_LIST]
    assert len(mesh[0].points) == 3 * len(bones.mesh.faces)
    bones_without_mesh = Bones(7, "cam", bones.names, bones.camera_from_bone, bones.length_m, bones.radius_m)
    cylinders = rod_markers(factory, 7, "cam", rod_poses(bones_without_mesh)).markers
    assert len(cylinders) == len(bones.names)
    assert len({marker.id for marker in cylinders}) == len(cylinders)
    femur = cylinders[bones.names.index("left_femur")]
    assert femur.type == CYLINDER
    pose = bones.camera_from_bone[bones.names.index("left_femur")]
    length = bones.length_m[bones.names.index("left_femur")]
    middle = pose[:3, 3] + 0.5 * length * pose[:3, 1]
    assert (femur.pose.position.x, femur.pose.position.y, femur.pose.position.z) == pytest.approx(tuple(middle))
    assert femur.scale.z == pytest.approx(length)


def test_the_command_processes_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    camera = SimulatedCamera(SimulationSettings(exercise="squat", gap_s=0.0))
    with BagWriter(tmp_path / "bag") as bag:
        for index in range(3):
            frame = camera.frame(index).frame
            stamp = header(bag.factory, frame.stamp_ns, frame.frame_id)
            depth = image_message(bag.factory, stamp, "16UC1", depth_millimetres(frame.depth_m))
            info = camera_info_message(bag.factory, stamp, frame.intrinsics)
            bag.write(topics.CAMERA_INFO, frame.stamp_ns, info)
            bag.write(topics.COLOR, frame.stamp_ns, image_message(bag.factory, stamp, "rgb8", frame.color))
            bag.write(topics.DEPTH, frame.stamp_ns, depth)
    out = tmp_path / "out"
    assert main(["bones", str(tmp_path / "bag"), "-o", str(out), "--frame", "2", "--picture", str(out / "a.png")]) == 0
    assert "76 bones" in capsys.readouterr().out
    assert (out / "parts" / "skull.ply").is_file()
    assert main(["bones", str(tmp_path / "bag"), "-o", str(out), "--frame", "9"]) == 2
    file = tmp_path / "bag" / "bag.mcap"
    file.write_bytes(file.read_bytes()[:-50])
    assert main(["bones", str(tmp_path / "bag"), "-o", str(tmp_path / "cut"), "--frame", "2"]) == 3
    assert capsys.readouterr().out.splitlines()[-1] == "left out: 1 file without its end"
