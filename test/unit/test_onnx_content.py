"""Weights that are not finite, or in another file, are refused before a network is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.fused_network import SHIPPED_WEIGHTS
from rehab_pose.onnx_content import check_weights
from rehab_pose.weights import load_network

if TYPE_CHECKING:
    from pathlib import Path


def network(weight: TensorProto) -> bytes:
    """Return an ONNX file of one matrix product."""
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("raw", [True, False])
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float, raw: bool) -> None:
    path = tmp_path / "net.onnx"
    weights = np.ones((2, 3), np.float32)
    path.write_bytes(network(numpy_helper.from_array(weights, "w")))
    load_network(path, ("x",))
    weights[1, 1] = value
    tensor = (
        numpy_helper.from_array(weights, "w")
        if raw
        else helper.make_tensor("w", TensorProto.FLOAT, (2, 3), weights.ravel())
    )
    path.write_bytes(network(tensor))
    with pytest.raises(ModelFileError, match="NaN or infinite"):
        load_network(path, ("x",))


def test_weights_in_another_file_are_refused() -> None:
    tensor = numpy_helper.from_array(np.ones((2, 3), np.float32), "w")
    onnx.external_data_helper.set_external_data(tensor, "/etc/passwd")
    tensor.ClearField("raw_data")
    with pytest.raises(ValueError, match="another file"):
        check_weights(network(tensor))


def test_shipped_weights_are_accepted() -> None:
    check_weights(SHIPPED_WEIGHTS.read_bytes())
