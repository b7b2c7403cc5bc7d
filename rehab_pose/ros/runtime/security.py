"""Errors of ROS 2's security (SROS2) as one of this project's errors."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rclpy.impl.implementation_singleton import rclpy_implementation

from rehab_pose.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["refused_without_security"]

SIGN = "security"
"""Word in the errors of rcl and Fast DDS about keys, rights and missing plug-ins."""


@contextmanager
def refused_without_security() -> Iterator[None]:
    """Raise a SettingsError for an error of ROS 2's security in a block that initialises it or makes a node.

    Raises:
        SettingsError: ROS_SECURITY_ENABLE is true, and the enclave has no usable keys or Fast DDS has no security.
    """
    try:
        yield
    except rclpy_implementation.RCLError as error:
        if SIGN not in str(error).lower():
            raise
        sentence = " ".join(str(error).split())
        msg = (
            "ROS_SECURITY_ENABLE is true, so no node runs without security: expected an enclave of the node in "
            "ROS_SECURITY_KEYSTORE and a Fast DDS that is built with security (that of PyPI is not), got: "
            f"{sentence}"
        )
        raise SettingsError(msg) from error
