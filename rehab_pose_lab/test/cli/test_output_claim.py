"""Commands of the laboratory write over nothing that they did not make."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from rehab_pose.errors import RecordingError
from rehab_pose_lab.cli.main import main
from rehab_pose_lab.cli.output_claim import MARK, claim_outputs

if TYPE_CHECKING:
    from pathlib import Path


def arguments(command: str = "train", **values: object) -> argparse.Namespace:
    return argparse.Namespace(command=command, **values)


def test_a_folder_with_other_files_is_refused_and_an_own_one_continued(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "metrics.json").write_text("mine", encoding="utf-8")
    with pytest.raises(RecordingError, match="holds other files"):
        claim_outputs(arguments(output=theirs))
    assert [path.name for path in theirs.iterdir()] == ["metrics.json"]
    own = tmp_path / "new" / "own"
    claim_outputs(arguments(output=own))
    (own / "checkpoint.pt").write_bytes(b"x")
    claim_outputs(arguments(output=own))
    assert sorted(path.name for path in own.iterdir()) == [MARK, "checkpoint.pt"]
    with pytest.raises(RecordingError, match="or one that `evaluate` made"):
        claim_outputs(arguments("evaluate", output=own))


def test_a_file_that_exists_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "space.npz"
    claim_outputs(arguments(output=path))
    path.write_bytes(b"theirs")
    with pytest.raises(RecordingError, match="exists already"):
        claim_outputs(arguments(output=path))


def test_a_benchmark_that_only_reads_its_folder_claims_nothing(tmp_path: Path) -> None:
    claim_outputs(arguments("bench", output=tmp_path / "none", train=False))
    assert not (tmp_path / "none").exists()
    claim_outputs(arguments("bench", output=tmp_path / "none", train=True))
    assert (tmp_path / "none" / MARK).is_file()
    claim_outputs(arguments("bench", benchmark="real", pictures=tmp_path / "pictures", train=False))
    assert not (tmp_path / "pictures").exists()  # that benchmark takes only an empty folder


def test_commands_check_before_they_compute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"theirs")
    assert main(["docs", "preprocessing", "-o", str(picture)]) == 2
    assert "a.png exists already" in capsys.readouterr().err
    assert picture.read_bytes() == b"theirs"
