"""Where the joint network's weights are."""

from __future__ import annotations

from pathlib import Path

from rehab_pose.weights import Network, load_network

__all__ = ["DEFAULT_WEIGHTS", "INPUT_NAME", "build_network"]

DEFAULT_WEIGHTS = Path(__file__).with_name("joints.onnx")
INPUT_NAME = "crop"


def build_network(weights_path: str) -> Network:
    """Load the weights at a path, or the package's own where the path is empty.

    Raises:
        ModelFileError: The file is missing, damaged or belongs to another stage.
    """
    return load_network(weights_path or DEFAULT_WEIGHTS, (INPUT_NAME,))
