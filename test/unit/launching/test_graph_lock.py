"""Nodes that run already are refused, until their process ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from rehab_pose.errors import SettingsError
from rehab_pose.launching.graph_lock import lock_folder, locked_nodes

if TYPE_CHECKING:
    from pathlib import Path

HOLD = """
import os, sys, time
from rehab_pose.launching.graph_lock import locked_nodes
with locked_nodes(["body", "exercise"], "/robot1", os.environ):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_graph_is_refused_with_the_process_that_runs_it_and_killing_releases_it(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "ROS_DOMAIN_ID": "7"}
    first = subprocess.Popen([sys.executable, "-c", HOLD], env=environment, stdout=subprocess.PIPE)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        expected = re.escape(
            f"exercise runs already in the namespace /robot1/rehab_pose of ROS domain 7 (process {first.pid})"
        )
        with pytest.raises(SettingsError, match=expected), locked_nodes(["exercise"], "robot1", environment):
            pass
        for namespace, domain in (("", "7"), ("/robot2", "7"), ("/robot1", "8")):
            with locked_nodes(["exercise"], namespace, {**environment, "ROS_DOMAIN_ID": domain}):
                pass
        with locked_nodes(["markers"], "/robot1", environment):
            pass
    finally:
        first.kill()
        first.communicate()
    with locked_nodes(["body", "exercise"], "/robot1", environment):
        pass


def test_locks_are_in_a_folder_of_this_user_only(tmp_path: Path) -> None:
    folder = lock_folder({"XDG_RUNTIME_DIR": str(tmp_path)})
    assert folder.stat().st_mode & 0o077 == 0
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="expected a writable folder for locks"):
        lock_folder({"XDG_RUNTIME_DIR": str(tmp_path / "file")})
