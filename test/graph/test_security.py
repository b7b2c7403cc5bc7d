"""ROS 2's security: a node that has to be secure and has no key does not start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

END_S = 30.0


def test_a_node_without_a_key_is_refused_with_one_sentence(
    program: Any,  # noqa: ANN401
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    monkeypatch.setenv("ROS_SECURITY_STRATEGY", "Enforce")
    monkeypatch.setenv("ROS_SECURITY_KEYSTORE", str(tmp_path / "none"))
    run = program("rehab_pose.cli.main", "run", "--nodes", "markers")
    assert run.process.wait(END_S) == 1
    assert "expected an enclave of the node in ROS_SECURITY_KEYSTORE" in run.output
    assert "markers ended with exit code 2" in run.output
    assert "restarting" not in run.output
    assert "Traceback" not in run.output
