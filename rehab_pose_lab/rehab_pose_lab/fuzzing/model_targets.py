"""Targets of the fuzzer: readers of body models, networks, arrays and checkpoints."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from rehab_pose.body.loader import load_body_model
from rehab_pose.bones.licensed_files import read_template
from rehab_pose.checkpoints import read_checkpoint
from rehab_pose.cli.exercise_recordings import read_recording
from rehab_pose.exercise.few_shot import FewShotSpace, load_added
from rehab_pose.exercise.library_classes import LibraryClasses
from rehab_pose.exercise.window_features import FEATURE_JOINTS, WINDOW_SAMPLES
from rehab_pose.restricted_pickle import load_restricted_pickle
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.weights import load_network
from rehab_pose_lab.fuzzing.file_targets import file_target
from rehab_pose_lab.fuzzing.mutations import archives, edited, odd_arrays, pickles
from rehab_pose_lab.fuzzing.targets import Pace, Prepared, Target
from rehab_pose_lab.methods.body.mixture import load_mixture_prior
from rehab_pose_lab.methods.exercise.clinical_scores import SHIPPED_SCORES, load_score_model, subjects_of_scores

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import DrawFn, SearchStrategy
    from numpy.typing import NDArray

__all__ = ["MODEL_TARGETS"]

HEIGHTS_M = {"head": 0.6, "pelvis": 0.0, "ankle": -0.85}


def _body() -> dict[str, NDArray[Any]]:
    """Return the arrays of a small body in SMPL's format: one vertex a joint."""
    heights = np.linspace(-0.9, 0.7, 24)
    order = np.argsort([_height(name) for name in SMPL_24.joint_names], kind="stable")
    template = np.zeros((24, 3), np.float32)
    template[order, 1] = heights
    template[:, 0] = [0.3 if name.startswith("left") else -0.3 for name in SMPL_24.joint_names]
    return {
        "v_template": template,
        "shapedirs": np.full((24, 3, 10), 0.001, np.float32),
        "J_regressor": np.eye(24),
        "weights": np.eye(24, dtype=np.float32),
        "kintree_table": np.array([[2**32 - 1, *SMPL_24.parents[1:]], range(24)], np.uint32),
        "f": np.array([[0, 1, 2], [3, 4, 5]], np.uint32),
    }


def _height(name: str) -> float:
    return next((value for part, value in HEIGHTS_M.items() if part in name), 0.2)


def _joint_arrays() -> dict[str, NDArray[Any]]:
    """Return the arrays of a recording of joints."""
    return {
        "stamps_ns": np.arange(10) * 33_000_000,
        "positions_m": np.tile(np.array([0.1, 0.2, 2.0], np.float32), (10, 24, 1)),
        "up": np.array([0.0, -1.0, 0.0]),
    }


def _mixture() -> dict[str, NDArray[Any]]:
    return {"means": np.zeros((2, 69)), "covars": np.tile(np.eye(69), (2, 1, 1)), "weights": np.full(2, 0.5)}


def _stored(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a shipped file."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _few_shot() -> dict[str, NDArray[Any]]:
    return {
        "centre": np.zeros(6, np.float32),
        "projection": np.ones((6, 3), np.float32),
        "background": np.ones((2, 3), np.float32),
        "movements": np.array(["a", "b"]),
        "model_id": np.array("m"),
    }


def _added() -> dict[str, NDArray[Any]]:
    return {
        "format": np.array(1),
        "windows_m": np.ones((2, WINDOW_SAMPLES, len(FEATURE_JOINTS), 3), np.float16),
        "recordings": np.zeros(2, np.int64),
        "people": np.zeros(2, np.int64),
        "coordinates": np.ones((2, 3), np.float32),
        "limit": np.array(1.0),
        "model_id": np.array("m"),
    }


def _library() -> dict[str, NDArray[Any]]:
    return {
        "names": np.array(["a", "b"]),
        "points": np.ones((4, 3), np.float16),
        "classes": np.array([0, 0, 1, 1]),
        "limits": np.ones(2),
        "background": np.ones((2, 3), np.float16),
        "same": np.array(["a"]),
        "model_id": np.array("m"),
    }


def _network(weights: NDArray[Any]) -> bytes:
    """Return an ONNX file of one matrix product."""
    weight = numpy_helper.from_array(np.asarray(weights), "w")
    shape = list(np.shape(weights)) or [1]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["B", shape[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [weight],
    )
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


@st.composite
def _networks(draw: DrawFn) -> bytes:
    weights = np.ones((4, 3), np.float32)
    if draw(st.booleans()):
        array = draw(odd_arrays(weights, same_type=True))
        return _network(array)
    return draw(edited(_network(weights)))


def _network_target() -> Target:
    def prepare(folder: Path) -> Prepared:
        path = folder / "net.onnx"

        def read(content: bytes) -> str:
            path.write_bytes(content)
            load_network(path, ("x",))
            return (
                "" if all(np.isfinite(array).all() for array in _weights(content)) else "weights with NaN or infinity"
            )

        return Prepared(_networks(), read)

    return Target("ONNX network", prepare)


def _weights(content: bytes) -> list[NDArray[Any]]:
    model = onnx.load_model_from_string(content)
    arrays = [numpy_helper.to_array(entry) for entry in model.graph.initializer]
    return [array for array in arrays if array.dtype.kind == "f"]


def _checkpoints() -> SearchStrategy[bytes]:
    files = []
    for old in (False, True):
        content = io.BytesIO()
        torch.save({"a.weight": torch.ones(2, 3), "b": torch.zeros(1)}, content, _use_new_zipfile_serialization=not old)
        files.append(content.getvalue())
    nan = io.BytesIO()
    torch.save({"a.weight": torch.full((2, 3), float("nan"))}, nan)
    return edited(*files, nan.getvalue())


def _checkpoint_target() -> Target:
    def prepare(folder: Path) -> Prepared:
        path = folder / "w.pth"

        def read(content: bytes) -> str:
            path.write_bytes(content)
            numbers = [tensor for tensor in read_checkpoint(path).values() if tensor.is_floating_point()]
            return "" if all(bool(torch.isfinite(tensor).all()) for tensor in numbers) else "NaN or infinity"

        return Prepared(_checkpoints(), read)

    return Target("PyTorch checkpoint", prepare)


def _load_pickle(path: Path) -> None:
    load_restricted_pickle(path.read_bytes())  # any content is plausible


def _skel() -> dict[str, Any]:
    """Return the arrays of a bone model in SKEL's format: a triangle a bone."""
    body = load_body_model()
    places = np.repeat(body.joint_template, 3, axis=0) + np.tile(0.01 * np.eye(3), (24, 1))
    skin = np.zeros((6890, 3), np.float32)
    skin[:24] = body.joint_template
    return {
        "skel_template_v": places,
        "skel_template_f": np.arange(72).reshape(24, 3),
        "skel_weights_rigid": np.repeat(np.eye(24), 3, axis=0),
        "J_regressor_osim": np.eye(24, 6890, dtype=np.float32),
        "skin_template_v": skin,
    }


MODEL_TARGETS = (
    file_target("body model .npz", "body.npz", lambda: archives(_body()), lambda path: load_body_model(str(path))),
    file_target("body model .pkl", "body.pkl", lambda: pickles(_body()), lambda path: load_body_model(str(path))),
    file_target(
        "restricted pickle",
        "x.pkl",
        lambda: pickles({**_joint_arrays(), "n": 1, "words": ["a"], "inner": {"a": 1}}),
        _load_pickle,
    ),
    file_target(
        "bone model .pkl", "skel_female.pkl", lambda: pickles(_skel()), lambda path: read_template(path) and None
    ),
    _network_target(),
    _checkpoint_target(),
    file_target("joints .npz", "joints.npz", lambda: archives(_joint_arrays()), lambda path: read_recording("p", path)),
    file_target("few-shot space", "space.npz", lambda: archives(_few_shot()), FewShotSpace.load),
    file_target("added exercise", "added.npz", lambda: archives(_added()), load_added),
    file_target("library classes", "library.npz", lambda: archives(_library()), LibraryClasses.load),
    file_target(
        "clinical scores",
        "scores.npz",
        lambda: archives(_stored(SHIPPED_SCORES)),
        lambda path: load_score_model(path) and None,
        pace=Pace.SLOW,
    ),
    file_target(
        "clinical scores subjects",
        "subjects.npz",
        lambda: archives(_stored(SHIPPED_SCORES)),
        lambda path: subjects_of_scores(path) and None,
        pace=Pace.SLOW,
    ),
    file_target(
        "pose mixture .npz", "m.npz", lambda: archives(_mixture()), lambda path: load_mixture_prior(str(path)) and None
    ),
    file_target(
        "pose mixture .pkl", "m.pkl", lambda: pickles(_mixture()), lambda path: load_mixture_prior(str(path)) and None
    ),
)
