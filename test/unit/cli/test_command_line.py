"""Misspelt commands, options and values are answered with near ones; -q and -v exist everywhere; no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehab_pose.cli import main as program
from rehab_pose.cli.main import main, program_parser

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["proces", "bag"], "did you mean process?"),
        (["session", "strat", "P1"], "did you mean start"),
        (["session", "start", "P1", "--exersise", "squat"], "did you mean --exercise?"),
        (["session", "start", "P1", "--side", "lef"], "did you mean left?"),
        (["overlay", "bag", "-o", "a.png", "--frame=3"], "unrecognized"),
    ],
    ids=["command", "action", "option", "value", "none"],
)
def test_near_names_are_suggested(arguments: list[str], suggestion: str, capsys: pytest.CaptureFixture[str]) -> None:
    if suggestion == "unrecognized":
        arguments = [*arguments[:-1], "--zzz"]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert suggestion in capsys.readouterr().err


def test_quiet_prints_nothing_but_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["session", "list", "--folder", str(tmp_path), "-q"]) == 0
    assert main(["session", "show", "s1", "--folder", str(tmp_path), "--quiet"]) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert "there is none" in captured.err
    assert main(["session", "list", "--folder", str(tmp_path), "-v"]) == 0
    assert "no sessions" in capsys.readouterr().out


def test_every_command_has_quiet_and_verbose() -> None:
    parser = program_parser()
    for words in (["session", "list"], ["warm-up"], ["exercise", "list"], ["play", "bag"], ["process", "b", "-o", "c"]):
        assert parser.parse_args([*words, "-v"]).verbose
        assert parser.parse_args([*words, "-q"]).quiet


def test_ctrl_c_gives_one_sentence_in_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_args: object) -> int:
        raise KeyboardInterrupt

    parser = program_parser()
    for words in (
        ["session", "list"],
        ["doctor"],
        ["process", "b", "-o", "c"],
        ["export", "b", "--to", "csv", "-o", "c"],
    ):
        args = parser.parse_args(words)
        args.run = interrupt
        monkeypatch.setattr(parser, "parse_args", lambda _words, args=args: args)
        assert program.run_program(parser, words) == 130
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1
        assert "stopped by Ctrl-C" in captured.err
