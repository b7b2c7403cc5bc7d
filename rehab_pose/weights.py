"""Loading of networks from ONNX files."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import MissingDependencyError, ModelFileError
from rehab_pose.onnx_content import check_weights

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from onnxruntime import InferenceSession

__all__ = ["ID_LENGTH", "Network", "explain_missing_torch", "load_network"]

BINDING_ERRORS = (RuntimeError, ValueError, MemoryError)
"""Errors that the Python binding of ONNX Runtime passes on."""
MAX_FILE_BYTES = 1 << 29
"""Largest file; the networks of this package have up to 13 MB [bytes]."""
ID_LENGTH = 12
"""Number of hexadecimal digits of a file's SHA-256 in a model id."""


@dataclass(frozen=True)
class Network:
    """A network that runs on one CPU thread."""

    session: InferenceSession
    model_id: str
    """Name and hash of the weights file, stored in the results."""
    metadata: dict[str, str]
    """Metadata that training wrote into the file (input size, scales, classes)."""


def load_network(path: str | os.PathLike[str], expected_inputs: tuple[str, ...]) -> Network:
    """Load an ONNX file for one CPU thread.

    Several nodes share few cores, and a second thread did not make these small networks faster.

    Args:
        path: The `.onnx` file.
        expected_inputs: Names of the network's inputs.

    Raises:
        ModelFileError: The file is missing, is not ONNX, or has other inputs.
    """
    import onnxruntime  # noqa: PLC0415  (0.2 s and 30 MB, only for the stages that have a network)
    from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors  # noqa: PLC0415

    file = Path(path)
    if not file.is_file():
        msg = (
            f"weights: expected a file at {file}, there is none; check the path, or train them with "
            "`rehab-pose-lab train`"
        )
        raise ModelFileError(msg)
    if file.stat().st_size > MAX_FILE_BYTES:
        msg = f"weights: expected at most {MAX_FILE_BYTES} bytes, {file} has {file.stat().st_size}"
        raise ModelFileError(msg)
    content = file.read_bytes()
    try:
        check_weights(content)
    except ValueError as error:
        msg = f"weights: {file} is not a usable ONNX file ({len(content)} bytes): {error}; replace it"
        raise ModelFileError(msg) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # ONNX Runtime has a class for each of its error codes; which ones there are depends on its version.
    kinds = [kind for kind in vars(ort_errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    errors: tuple[type[Exception], ...] = (*BINDING_ERRORS, *kinds)
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except errors as error:
        msg = f"weights: {file} is not a usable ONNX file ({len(content)} bytes): {error}; replace it"
        raise ModelFileError(msg) from error
    inputs = tuple(entry.name for entry in session.get_inputs())
    if inputs != expected_inputs:
        msg = f"weights: {file}: expected the inputs {expected_inputs}, it has {inputs}; it belongs to another stage"
        raise ModelFileError(msg)
    digest = hashlib.sha256(content).hexdigest()[:ID_LENGTH]
    metadata = dict(session.get_modelmeta().custom_metadata_map)
    return Network(session=session, model_id=f"{file.stem}-{digest}", metadata=metadata)


@contextmanager
def explain_missing_torch(method: str, alternative: str) -> Iterator[None]:
    """Turn a failed import of PyTorch inside the `with` block into an error that explains it.

    PyTorch is optional: it takes seconds and hundreds of megabytes to load, and only two methods need it.

    Args:
        method: The method that needs PyTorch, for the message.
        alternative: Advice for a user without PyTorch, for the message.

    Raises:
        MissingDependencyError: PyTorch is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        msg = f"{method}: expected PyTorch ({error}); pip install torch, or {alternative}"
        raise MissingDependencyError(msg) from error
