"""Loading of ONNX weights."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from rehab_pose.errors import MissingDependencyError, ModelFileError
from rehab_pose.joints.crop import INPUT_NAME
from rehab_pose.joints.predictor import DEFAULT_WEIGHTS
from rehab_pose.weights import explain_missing_torch, load_network

if TYPE_CHECKING:
    from pathlib import Path


def test_the_model_id_depends_on_name_and_content(tmp_path: Path) -> None:
    copy = tmp_path / "copy.onnx"
    shutil.copy(DEFAULT_WEIGHTS, copy)
    first, second = load_network(DEFAULT_WEIGHTS, (INPUT_NAME,)), load_network(copy, (INPUT_NAME,))
    assert first.model_id.startswith("joints-")
    assert second.model_id == first.model_id.replace("joints-", "copy-")


def test_weights_of_another_stage_are_refused() -> None:
    with pytest.raises(ModelFileError, match=r"expected the inputs \('depth',\), it has \('crop',\)"):
        load_network(DEFAULT_WEIGHTS, ("depth",))


def test_missing_and_damaged_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="there is none; check the path"):
        load_network(tmp_path / "none.onnx", ("depth",))
    (tmp_path / "damaged.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelFileError, match="not a usable ONNX file"):
        load_network(tmp_path / "damaged.onnx", ("depth",))


def test_an_onnx_runtime_without_the_newest_kinds_of_errors_is_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(ort_errors, "ModelLoadCanceled")
    assert load_network(DEFAULT_WEIGHTS, (INPUT_NAME,)).model_id
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"\x08\x01")
    with pytest.raises(ModelFileError, match="not a usable ONNX file"):
        load_network(damaged, (INPUT_NAME,))


def test_a_missing_torch_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with (
        pytest.raises(MissingDependencyError, match=r"a method: expected PyTorch .*pip install torch, or do otherwise"),
        explain_missing_torch("a method", "do otherwise"),
    ):
        import torch  # noqa: F401, PLC0415
