"""The completion script of bash, run by bash: commands, actions, options and values."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from rehab_pose.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sess"], {"session"}),
        (["session", "st"], {"start", "stop", "status"}),
        (["session", "start", "--ex"], {"--exercise"}),
        (["session", "start", "--side", "r"], {"right"}),
    ],
    ids=["command", "action", "option", "value"],
)
def test_bash_completes(
    words: list[str], expected: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("shtab", reason="the extra `completion` is not installed")
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("bash is not installed")
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    line = " ".join(f"'{word}'" for word in ["rehab-pose", *words])
    program = (
        f"source {script}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; "
        "$(complete -p rehab-pose | sed 's/.*-F \\([^ ]*\\) .*/\\1/'); printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    run = subprocess.run([bash, "-c", program], capture_output=True, text=True, check=True)
    assert set(run.stdout.split()) == expected
