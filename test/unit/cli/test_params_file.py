"""The option --params-file: the parameter file of the nodes gives the stages of offline commands their settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehab_pose.cli.camera_options import camera_of
from rehab_pose.cli.main import main, program_parser
from rehab_pose.cli.params_file import stage_settings
from rehab_pose.errors import SettingsError

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "rehab_pose.yaml"
TEXT = """
/**:
  ros__parameters:
    node: {queue_length: 4}
    capture: {depth_maximum_m: 4.0}
    silhouette.method: depth
exercise:
  ros__parameters:
    exercise: {streams: fused}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_stages_and_the_camera_take_the_values_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, TEXT)
    settings = stage_settings(path)
    assert (settings.silhouette.method, settings.exercise.streams) == ("depth", "fused")
    for words in (
        ["process", "bag", "-o", "out"],
        ["overlay", "bag", "-o", "o.png"],
        ["bones", "bag", "-o", "out"],
        ["export", "bag", "--to", "csv", "-o", "out"],
        ["view", "bag"],
    ):
        args = program_parser().parse_args([*words, "--params-file", str(path), "--slop-s", "0.02"])
        _, capture = camera_of(args)
        assert capture is not None
        assert (capture.depth_maximum_m, capture.pairing_slop_s) == (4.0, 0.02)


def test_the_shipped_file_is_read_and_without_a_file_there_are_the_defaults() -> None:
    assert stage_settings(SHIPPED).silhouette.method == "fused"
    assert stage_settings(None) == stage_settings(SHIPPED)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("/**:\n  ros__parameters:\n    silhuette: {method: depth}", "did you mean silhouette?"),
        ("/**:\n  ros__parameters:\n    silhouette: {metod: depth}", "did you mean method?"),
        ("/**:\n  silhouette: {method: depth}", "expected ros__parameters below"),
        ("- a\n- b", "expected names with values"),
        ("a: [1", "expected a YAML file"),
        ("/**:\n  ros__parameters:\n    silhouette: 3", "expected names with values below 'silhouette'"),
    ],
)
def test_a_wrong_file_is_refused_with_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence.replace("?", r"\?")):
        stage_settings(written(tmp_path, text))


def test_a_missing_file_ends_the_command_before_it_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["process", str(tmp_path), "-o", str(tmp_path / "out"), "--params-file", str(tmp_path / "none.yaml")]
    assert main(arguments) == 2
    assert "--params-file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
