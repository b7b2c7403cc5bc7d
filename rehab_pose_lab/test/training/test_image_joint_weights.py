"""Conversion of the published pose network; where it is at hand, the shipped files are its result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from rehab_pose.errors import ModelFileError
from rehab_pose.image_joints.detector import DEFAULT_LANDMARKS, DEFAULT_MASK
from rehab_pose_lab.datasets.location import data_folder
from rehab_pose_lab.training.image_joint_weights import convert_image_joints

if TYPE_CHECKING:
    from pathlib import Path

WIDTH = 16
"""Channels of the network made here; with 9 x 9 filters its weights are stored in 16 bits."""


def published_like(path: Path, *, exact: bool = True) -> None:
    """Write a network with the names of the published one: two branches that share the first layer."""
    random = np.random.default_rng(1)
    weights = random.normal(size=(WIDTH, 3, 9, 9)).astype(np.float16 if exact else np.float32).astype(np.float32)
    head = np.ones((1, WIDTH, 1, 1), np.float32)
    initialisers = [
        helper.make_tensor("filters", TensorProto.FLOAT, weights.shape, weights.ravel()),
        helper.make_tensor("head", TensorProto.FLOAT, head.shape, head.ravel()),
    ]
    nodes = [
        helper.make_node("Conv", ["input_1", "filters"], ["shared"]),
        *(helper.make_node("Conv", ["shared", "head"], [f"map_{name}"]) for name in ("a", "b", "c", "d")),
        *(
            helper.make_node("Sigmoid", [f"map_{short}"], [name])
            for short, name in zip("abcd", ("Identity", "Identity_1", "Identity_2", "Identity_4"), strict=True)
        ),
    ]
    image = helper.make_tensor_value_info("input_1", TensorProto.FLOAT, [1, 3, 24, 24])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 16, 16])
        for name in ("Identity", "Identity_1", "Identity_2", "Identity_4")
    ]
    graph = helper.make_graph(nodes, "network", [image], outputs, initialisers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def test_the_mask_continues_from_the_feature_maps_of_the_landmarks_without_loss(tmp_path: Path) -> None:
    import onnxruntime  # noqa: PLC0415

    source = tmp_path / "published.onnx"
    published_like(source)
    convert_image_joints(source, tmp_path / "weights")
    image = np.random.default_rng(2).normal(size=(1, 3, 24, 24)).astype(np.float32)
    expected = onnxruntime.InferenceSession(source).run(["Identity", "Identity_2"], {"input_1": image})
    first = onnxruntime.InferenceSession(tmp_path / "weights" / "landmarks.onnx")
    results = dict(zip([entry.name for entry in first.get_outputs()], first.run(None, {"image": image}), strict=True))
    second = onnxruntime.InferenceSession(tmp_path / "weights" / "mask.onnx")
    mask = second.run(["mask"], {entry.name: results[entry.name] for entry in second.get_inputs()})[0]
    np.testing.assert_array_equal(results["landmarks"], expected[0])
    np.testing.assert_array_equal(mask, expected[1])
    assert (tmp_path / "weights" / "landmarks.onnx").stat().st_size < 0.7 * source.stat().st_size


def test_weights_that_need_more_than_16_bits_are_refused(tmp_path: Path) -> None:
    published_like(tmp_path / "other.onnx", exact=False)
    with pytest.raises(ModelFileError, match="expected weights of 16 bits"):
        convert_image_joints(tmp_path / "other.onnx", tmp_path / "weights")


def test_existing_files_are_not_overwritten(tmp_path: Path) -> None:
    published_like(tmp_path / "published.onnx")
    (tmp_path / "landmarks.onnx").write_bytes(b"mine")
    with pytest.raises(ModelFileError, match="without this file"):
        convert_image_joints(tmp_path / "published.onnx", tmp_path)
    assert (tmp_path / "landmarks.onnx").read_bytes() == b"mine"


def test_another_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="no such file"):
        convert_image_joints(tmp_path / "missing.onnx", tmp_path / "weights")
    with pytest.raises(ModelFileError, match="other inputs or outputs"):
        convert_image_joints(DEFAULT_LANDMARKS, tmp_path / "weights")


def test_the_shipped_files_are_made_from_the_published_network(tmp_path: Path) -> None:
    source = data_folder().parent / "models" / "pose_landmark_full.onnx"
    if not source.is_file():
        pytest.skip("the published network is not at hand")
    convert_image_joints(source, tmp_path)
    assert (tmp_path / "landmarks.onnx").read_bytes() == DEFAULT_LANDMARKS.read_bytes()
    assert (tmp_path / "mask.onnx").read_bytes() == DEFAULT_MASK.read_bytes()
