"""Make the weights of the image joints from the published pose network: split off the mask, store numbers in 16 bits.

The network is `pose_landmark_full.tflite` of MediaPipe (Apache-2.0), converted to ONNX by tf2onnx. Its weights were
published in 16 bits, so that storing them in 16 bits again loses nothing. The mask needs as much time as the landmarks
and is not computed in every frame: it becomes a network of its own that continues from feature maps of the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["convert_image_joints"]

INPUT, LANDMARKS, SCORE, MASK, WORLD = "input_1", "Identity", "Identity_1", "Identity_2", "Identity_4"
"""Names in the file that tf2onnx makes."""
NAMES = {INPUT: "image", LANDMARKS: "landmarks", SCORE: "score", WORLD: "world", MASK: "mask"}
"""Names in our files; feature maps are called features_<side>."""
SMALL = 256
"""Constants with fewer numbers (shapes, paddings) are kept as they are."""
ALLOWED_LOSS = 0.0
"""Largest change of a weight by storing it in 16 bits."""


def convert_image_joints(source: Path, folder: Path) -> dict[str, int]:
    """Write landmarks.onnx and mask.onnx to a folder and return their sizes [bytes] by name.

    Args:
        source: The published network as ONNX.
        folder: Existing files of these names are not overwritten.

    Raises:
        ModelFileError: The source is missing or another network, its weights need more than 16 bits, or a file exists
            already.
    """
    import onnx  # noqa: PLC0415  (only this command needs it)
    from onnx.utils import Extractor  # noqa: PLC0415

    if not source.is_file():
        msg = f"{source}: expected the network pose_landmark_full converted by tf2onnx, there is no such file"
        raise ModelFileError(msg)
    model = onnx.shape_inference.infer_shapes(onnx.load(source))
    produced = {output for node in model.graph.node for output in node.output}
    if not {LANDMARKS, SCORE, MASK, WORLD} <= produced or [entry.name for entry in model.graph.input] != [INPUT]:
        msg = f"{source}: expected the network pose_landmark_full converted by tf2onnx; it has other inputs or outputs"
        raise ModelFileError(msg)
    shared = _shared_maps(model)
    names = NAMES | {tensor: f"features_{side}" for tensor, side in shared.items()}
    ordered = sorted(shared, key=lambda tensor: shared[tensor])
    extractor = Extractor(model)
    parts = {
        "landmarks.onnx": extractor.extract_model([INPUT], [LANDMARKS, SCORE, WORLD, *ordered]),
        "mask.onnx": extractor.extract_model(ordered, [MASK]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {}
    for name, part in parts.items():
        path = folder / name
        if path.exists():
            msg = f"{path}: expected a folder without this file; move it away to write it again"
            raise ModelFileError(msg)
        _rename(part, names)
        _store_in_16_bits(part, source)
        onnx.checker.check_model(part)
        path.write_bytes(part.SerializeToString())
        sizes[name] = path.stat().st_size
    return sizes


def _ancestors(model: Any, outputs: list[str]) -> set[str]:  # noqa: ANN401  (onnx.ModelProto)
    """Return the names of all tensors that the outputs are computed from, themselves included."""
    producer = {output: node for node in model.graph.node for output in node.output}
    names: set[str] = set()
    pending = list(outputs)
    while pending:
        name = pending.pop()
        if name in producer and name not in names:
            names.add(name)
            pending += producer[name].input
    return names


def _shared_maps(model: Any) -> dict[str, int]:  # noqa: ANN401  (onnx.ModelProto)
    """Return the side [px] of each feature map of the landmarks that the mask's layers continue from, by name."""
    of_landmarks, of_mask = _ancestors(model, [LANDMARKS, SCORE, WORLD]), _ancestors(model, [MASK])
    sides = {entry.name: entry.type.tensor_type.shape.dim[-1].dim_value for entry in model.graph.value_info}
    return {
        name: sides[name]
        for node in model.graph.node
        if set(node.output) & of_mask - of_landmarks
        for name in node.input
        if name in of_landmarks
    }


def _rename(model: Any, names: dict[str, str]) -> None:  # noqa: ANN401  (onnx.ModelProto)
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for entry in (*model.graph.input, *model.graph.output):
        entry.name = names.get(entry.name, entry.name)


def _store_in_16_bits(model: Any, source: Path) -> None:  # noqa: ANN401  (onnx.ModelProto)
    """Store each large constant in 16 bits, with a conversion that ONNX Runtime does once, when it loads the file."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    conversions = []
    for constant in list(model.graph.initializer):
        if constant.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(constant)
        if values.size < SMALL:
            continue
        half = values.astype(np.float16)
        loss = float(np.abs(half.astype(np.float32) - values).max())
        if loss > ALLOWED_LOSS:
            msg = (
                f"{source}: expected weights of 16 bits, {constant.name} changes by {loss:.3g}; use the published file"
            )
            raise ModelFileError(msg)
        stored = numpy_helper.from_array(half, f"{constant.name}_half")
        model.graph.initializer.remove(constant)
        model.graph.initializer.append(stored)
        conversions.append(helper.make_node("Cast", [stored.name], [constant.name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*conversions, *nodes])
    del model.graph.value_info[:]
