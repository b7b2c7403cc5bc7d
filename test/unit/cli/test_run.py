"""`rehab-pose run` starts all stages in one process, or each in its own."""

from __future__ import annotations

import pytest

from rehab_pose.cli.main import program_parser
from rehab_pose.cli.run import chosen_nodes


@pytest.mark.parametrize(
    ("options", "first"), [((), "pipeline"), (("--composed",), "pipeline"), (("--separate",), "rgbd_sync")]
)
def test_all_stages_share_a_process_unless_they_are_separated(options: tuple[str, ...], first: str) -> None:
    names = [spec.name for spec in chosen_nodes(program_parser().parse_args(["run", *options]))]
    assert names[0] == first
    assert len({"pipeline", "rgbd_sync"} & set(names)) == 1
    assert "session" in names
