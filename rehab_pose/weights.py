"""Find, check and load ONNX weights; say what to do when they are missing or damaged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import ModelFileError

if TYPE_CHECKING:
    import os

    from onnxruntime import InferenceSession

__all__ = ["Network", "load_network"]

ID_LENGTH = 12
"""Hexadecimal digits of the file's SHA-256 that name a model."""


@dataclass(frozen=True)
class Network:
    """A network ready to run on one CPU thread."""

    session: InferenceSession
    model_id: str
    """Name and hash of the weights, for the records that came out of them."""
    metadata: dict[str, str]
    """What training wrote into the file (input size, scales, classes)."""


def load_network(path: str | os.PathLike[str], expected_inputs: tuple[str, ...]) -> Network:
    """Load an ONNX file for one CPU thread.

    One thread a process: several nodes share few cores, and two threads made no small network faster.

    Args:
        path: The `.onnx` file.
        expected_inputs: Names of the inputs that the caller will feed.

    Raises:
        ModelFileError: The file is missing, is not ONNX, or has other inputs.
    """
    import onnxruntime  # noqa: PLC0415  (0.2 s and 30 MB, only for the stages that have a network)
    from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors  # noqa: PLC0415

    file = Path(path)
    if not file.is_file():
        msg = (
            f"weights: expected a file at {file}, there is none; check the path, or train them with `rehab-pose train`"
        )
        raise ModelFileError(msg)
    content = file.read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (ort_errors.InvalidProtobuf, ort_errors.InvalidGraph, ort_errors.Fail, ort_errors.InvalidArgument) as error:
        msg = f"weights: {file} is not a usable ONNX file ({len(content)} bytes): {error}; replace it"
        raise ModelFileError(msg) from error
    inputs = tuple(entry.name for entry in session.get_inputs())
    if inputs != expected_inputs:
        msg = f"weights: {file}: expected the inputs {expected_inputs}, it has {inputs}; it belongs to another stage"
        raise ModelFileError(msg)
    digest = hashlib.sha256(content).hexdigest()[:ID_LENGTH]
    metadata = dict(session.get_modelmeta().custom_metadata_map)
    return Network(session=session, model_id=f"{file.stem}-{digest}", metadata=metadata)
