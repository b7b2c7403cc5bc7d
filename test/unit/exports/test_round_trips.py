"""Exported files read by independent libraries: OpenSim, ezc3d, bvhio, and smplx's kinematics."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pytest
import torch
from smplx.lbs import batch_rigid_transform, batch_rodrigues

from rehab_pose.exports.formats import write_exports
from rehab_pose.exports.motion import Z_UP_FROM_Y_UP, motion_of
from rehab_pose.exports.opensim import opensim_coordinates
from rehab_pose.recording.recording import Recording
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.known_results import FRAMES, MISSING_FRAMES, RATE_HZ

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from numpy.typing import NDArray

    from rehab_pose.exports.motion import Motion

LARGEST_ERROR_MM = 0.01
LARGEST_ERROR_DEG = 0.001


@pytest.fixture(scope="module")
def opensim() -> ModuleType:
    """Import OpenSim, which replaces LD_LIBRARY_PATH of its process: programs that later tests start would not run."""
    with mock.patch.dict(os.environ):
        module: ModuleType = pytest.importorskip("opensim")
        return module


@pytest.fixture(scope="module")
def motion(known_results: Path) -> Motion:
    return motion_of(Recording(known_results), "walk")


@pytest.fixture(scope="module")
def files(known_results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_exports(Recording(known_results), folder, "walk", ["trc", "mot", "c3d", "bvh", "npz", "csv", "parquet"])
    return folder


def missing() -> NDArray[np.bool_]:
    mask = np.zeros(FRAMES, bool)
    mask[list(MISSING_FRAMES)] = True
    return mask


def test_opensim_reads_the_markers(opensim: ModuleType, files: Path, motion: Motion) -> None:
    table = opensim.TimeSeriesTableVec3(str(files / "walk.trc"))
    assert tuple(table.getColumnLabels()) == SMPL_24.joint_names
    assert table.getTableMetaDataString("Units") == "mm"
    assert float(table.getTableMetaDataString("DataRate")) == pytest.approx(RATE_HZ)
    read = [
        [[row.getElt(0, marker)[axis] for axis in range(3)] for marker in range(len(SMPL_24))]
        for row in (table.getRowAtIndex(index) for index in range(table.getNumRows()))
    ]
    error_mm = np.abs(np.array(read) - motion.joint_positions_m * 1000.0)
    assert np.nanmax(error_mm) < LARGEST_ERROR_MM
    assert (np.isnan(np.array(read)).all(axis=(1, 2)) == missing()).all()


def test_opensim_reads_the_coordinates(opensim: ModuleType, files: Path, motion: Motion) -> None:
    table = opensim.TimeSeriesTable(str(files / "walk.mot"))
    assert table.getTableMetaDataString("inDegrees") == "yes"
    assert list(table.getIndependentColumn()) == pytest.approx(motion.times_s[~missing()], abs=1e-6)
    expected = opensim_coordinates(motion)
    assert set(table.getColumnLabels()) == set(expected)
    for name in table.getColumnLabels():
        read = table.getDependentColumn(name).to_numpy()
        assert read == pytest.approx(expected[name][~missing()], abs=LARGEST_ERROR_DEG)
    assert table.getDependentColumn("lumbar_extension").to_numpy()[0] == pytest.approx(np.degrees(-0.1), abs=1e-3)
    assert table.getDependentColumn("hip_adduction_l").to_numpy()[0] == pytest.approx(np.degrees(-0.2), abs=1e-3)
    assert table.getDependentColumn("knee_angle_r").to_numpy()[0] == pytest.approx(np.degrees(0.3), abs=1e-3)


def test_the_model_of_the_pelvis_has_the_recorded_orientation(opensim: ModuleType, motion: Motion) -> None:
    """Rz(tilt) Rx(list) Ry(rotation), composed by OpenSim's library, is the recorded rotation of the pelvis."""
    found = opensim_coordinates(motion)
    for frame in (0, 20, 33):
        tilt, side, turn = (np.radians(found[f"pelvis_{name}"][frame]) for name in ("tilt", "list", "rotation"))
        rotation = opensim.Rotation()
        rotation.setRotationFromThreeAnglesThreeAxes(
            opensim.BodyRotationSequence, tilt, opensim.CoordinateAxis(2), side, opensim.CoordinateAxis(0), turn,
            opensim.CoordinateAxis(1),
        )  # fmt: skip
        matrix = rotation.asMat33()
        composed = np.array([[matrix.get(row, column) for column in range(3)] for row in range(3)])
        # Axes of the model's pelvis in ours: x front (our z), y up (our y), z right (against our x).
        ours = motion.rotations[frame, 0]
        assert composed == pytest.approx(np.stack([ours[:, 2], ours[:, 1], -ours[:, 0]], axis=-1), abs=1e-6)


def test_ezc3d_reads_the_points_and_which_are_missing(files: Path, motion: Motion) -> None:
    ezc3d = pytest.importorskip("ezc3d")
    file = ezc3d.c3d(str(files / "walk.c3d"))
    points = np.moveaxis(file["data"]["points"][:3], -1, 0).transpose(0, 2, 1)
    error_mm = np.abs(points @ Z_UP_FROM_Y_UP - motion.joint_positions_m * 1000.0)
    assert np.nanmax(error_mm[~missing()]) < LARGEST_ERROR_MM
    assert ((file["data"]["meta_points"]["residuals"][0] < 0).all(axis=0) == missing()).all()
    assert file["parameters"]["POINT"]["RATE"]["value"][0] == pytest.approx(RATE_HZ)
    assert file["parameters"]["POINT"]["LABELS"]["value"] == list(SMPL_24.joint_names)


def test_bvhio_finds_the_joints_where_they_were(files: Path, motion: Motion) -> None:
    bvhio = pytest.importorskip("bvhio")
    root = bvhio.readAsHierarchy(str(files / "walk.bvh"))
    expected_m = motion.body_joints_m()
    assert expected_m[0] == pytest.approx(motion.joint_positions_m[0], abs=0.02)
    for frame in (0, 11, 13, 20, 39):
        root.loadPose(frame)
        shown = 11 if frame in MISSING_FRAMES else frame
        for joint, _, _ in root.layout():
            position_m = np.array(joint.PositionWorld) / 100.0
            error_mm = np.abs(position_m - expected_m[shown, SMPL_24.index(joint.Name)]) * 1000.0
            assert error_mm.max() < LARGEST_ERROR_MM


def test_smplx_kinematics_find_the_joints_where_they_were(files: Path, motion: Motion) -> None:
    with np.load(files / "walk.npz") as content:
        poses, trans, present = content["poses"], content["trans"], content["present"]
        assert content["betas"] == pytest.approx([0.5, -0.25])
        assert float(content["mocap_framerate"]) == pytest.approx(RATE_HZ)
        assert str(content["model_id"]) == "test-model"
    assert (present == ~missing()).all()
    rest = np.zeros((24, 3))
    for joint, parent in enumerate(SMPL_24.parents):
        rest[joint] = motion.rest_pelvis_m if parent < 0 else rest[parent] + motion.offsets_m[joint]
    rotations = batch_rodrigues(torch.tensor(poses.reshape(-1, 3))).reshape(FRAMES, 24, 3, 3)
    joints, _ = batch_rigid_transform(
        rotations, torch.tensor(np.broadcast_to(rest, (FRAMES, 24, 3)).copy()), torch.tensor(SMPL_24.parents),
        dtype=torch.float64,
    )  # fmt: skip
    found_m = joints.numpy() + trans[:, None]
    expected_m = motion.body_joints_m() @ Z_UP_FROM_Y_UP.T
    assert np.nanmax(np.abs(found_m - expected_m)[present]) * 1000.0 < LARGEST_ERROR_MM


def test_pandas_reads_the_tables(files: Path, known_results: Path) -> None:
    pandas = pytest.importorskip("pandas")
    expected = Recording(known_results).to_pandas()
    for table in (pandas.read_csv(files / "walk.csv", index_col=0), pandas.read_parquet(files / "walk.parquet")):
        for column in ("trunk_flexion_deg", "left_knee_y_m"):
            assert table[column].to_numpy() == pytest.approx(expected[column].to_numpy(), nan_ok=True)
    assert len(pandas.read_parquet(files / "walk_repetitions.parquet")) == 2
