"""Every command that writes keeps what is there, and says in one sentence why it did not write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rehab_pose.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

CAMERA = {"width": 16, "height": 12, "fx": 20.0, "fy": 20.0, "cx": 7.5, "cy": 5.5}
IMAGES = ["--color", "{in}/color", "--depth", "{in}/depth", "--intrinsics", "{in}/camera.json"]
COMMANDS = {
    "process a bag, results": (["process", "{in}/bag", "-o", "{out}"], "results"),
    "process a bag, summary": (["process", "{in}/bag", "-o", "{out}"], "summary.json"),
    "process images": (["process", *IMAGES, "-o", "{out}"], "joints"),
    "process images, summary": (["process", *IMAGES, "-o", "{out}"], "summary.json"),
    "overlay": (["overlay", "{in}/bag", "-o", "{out}/o.png"], "o.png"),
    "bones": (["bones", "{in}/bag", "-o", "{out}"], "bones.csv"),
    "picture of bones": (["bones", "{in}/bag", "-o", "{out}/b", "--picture", "{out}/p.png"], "p.png"),
    "bag from images": (["bag", "from-images", *IMAGES, "-o", "{out}/b"], "b"),
    "bag recover": (["bag", "recover", "{in}/bag", "-o", "{out}/b"], "b"),
}
"""Arguments, and the name of the output that is there before."""


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder of inputs and one for outputs."""
    given, output = tmp_path / "in", tmp_path / "out"
    for name, image in (("color", np.zeros((12, 16, 3), np.uint8)), ("depth", np.full((12, 16), 2000, np.uint16))):
        (given / name).mkdir(parents=True)
        cv2.imwrite(str(given / name / "1.png"), image)
    (given / "camera.json").write_text(json.dumps(CAMERA))
    output.mkdir()
    assert main(["bag", "from-images", *filled(IMAGES, given, output), "-o", str(given / "bag")]) == 0
    return given, output


def filled(arguments: list[str], given: Path, output: Path) -> list[str]:
    return [text.replace("{in}", str(given)).replace("{out}", str(output)) for text in arguments]


@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_that_exists_is_kept(
    folders: tuple[Path, Path], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, existing = COMMANDS[name]
    (folders[1] / existing).write_text("mine")
    capsys.readouterr()
    assert main(filled(arguments, *folders)) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert existing in message
    assert [path.name for path in folders[1].iterdir()] == [existing]
    assert (folders[1] / existing).read_text() == "mine"


@pytest.mark.parametrize("name", COMMANDS)
def test_an_output_below_a_file_is_refused_in_one_sentence(
    folders: tuple[Path, Path], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given, output = folders
    (output / "file").write_text("mine")
    capsys.readouterr()
    assert main(filled(COMMANDS[name][0], given, output / "file" / "below")) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert (output / "file").read_text() == "mine"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_missing_input_leaves_no_output(
    folders: tuple[Path, Path], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given, output = folders
    capsys.readouterr()
    assert main(filled(COMMANDS[name][0], given / "absent", output)) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not list(output.iterdir())
