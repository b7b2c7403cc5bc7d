"""Inputs and metadata in the ONNX files of the exercise networks: training writes them, and loading compares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.window_features import FEATURE_JOINTS, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rehab_pose.exercise.feature_streams import Stream
    from rehab_pose.weights import Network

__all__ = ["INPUT_NAMES", "check_metadata", "input_metadata"]

INPUT_NAMES = ("features", "present")
"""Names of the networks' inputs: features (B, T, F) of the samples of windows, and presence (B, T)."""


def input_metadata(labels: Sequence[str], key: str, streams: Sequence[Stream]) -> dict[str, str]:
    """Return the metadata that describe labels and inputs of a network.

    Args:
        labels: Its labels, `none` first.
        key: Name of the entry that lists the streams.
        streams: Streams of its input vector, in order.
    """
    return {
        "labels": ",".join(labels),
        "joints": ",".join(FEATURE_JOINTS),
        key: ",".join(f"{stream.name}:{stream.size}" for stream in streams),
        "sample_rate_hz": str(SAMPLE_RATE_HZ),
    }


def check_metadata(network: Network, expected: Mapping[str, str], file: str, advice: str) -> None:
    """Check that a network was trained for the labels and inputs of this code.

    Args:
        network: The network.
        expected: Those of `input_metadata`.
        file: Kind and path of the file, for the error's message.
        advice: Advice for the user, likewise.

    Raises:
        ModelFileError: An entry of the file differs.
    """
    for name, value in expected.items():
        if network.metadata.get(name) != value:
            msg = f"{file}: expected {name} = {value}, the file has {network.metadata.get(name)}; {advice}"
            raise ModelFileError(msg)
