"""Documents: links, commands, options and files exist, examples run, generated pages are current."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from rehab_pose.cli.main import program_parser
from rehab_pose_lab.cli import main as lab
from rehab_pose_lab.docs.node_reference import node_reference
from rehab_pose_sim.cli import main as sim

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = (
    "config",
    "docs",
    "examples",
    "launch",
    "rehab_pose",
    "rehab_pose_lab",
    "rehab_pose_msgs",
    "rehab_pose_sim",
    "rviz",
    "scripts",
    "test",
    ".ci",
)
"""Folders of files written by hand, without what builds and runs leave behind."""
COMMANDS_BY_SCRIPT = {"scripts/demo": ("rehab-pose-sim", "demo"), "scripts/bench": ("rehab-pose-lab", "bench")}
"""Scripts whose arguments are those of a command."""
PARSERS = {
    "rehab-pose": program_parser,
    "rehab-pose-sim": sim.program_parser,
    "rehab-pose-lab": lab.program_parser,
}
EXAMPLE_FRAMES = 4
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
INLINE_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PLACEHOLDER = re.compile(r"[A-Z][A-Z_,]*")
MACHINE_PATH = re.compile(r"(?<![\w./}])(?:/(?:home|root|Users|work|workspace|mnt|tmp)/\w|[A-Z]:\\\\?\w)")
FORGOTTEN = re.compile(r"\b(?:TO[D]O|FI[X]ME|X[X]X)\b(?!\(#\d+\))")


class Command(NamedTuple):
    """A command line of a document."""

    document: str
    line: str
    whole: bool
    """From a block of commands that can be typed as they stand, not from the middle of a sentence."""


def files(*endings: str) -> list[Path]:
    ignored = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    roots = [path for path in REPOSITORY.iterdir() if path.is_file() and path.name not in ignored]
    inside = [path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*") if path.is_file()]
    return sorted(path for path in roots + inside if path.suffix in endings and "__pycache__" not in path.parts)


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


DOCUMENTS = files(".md")
# Hardware is replaced in test/system/test_examples.py.
EXAMPLES = [path for path in sorted((REPOSITORY / "examples").glob("*.py")) if "realsense" not in path.name]


def slug(heading: str) -> str:
    """Return a heading's anchor as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(document: Path) -> set[str]:
    return {slug(match) for match in re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        if "://" in target or target.startswith("mailto:"):
            continue
        place, _, anchor = target.partition("#")
        file = document.parent / place if place else document
        assert file.exists(), f"{target}: there is no {file}"
        assert file.resolve().is_relative_to(REPOSITORY), f"{target} leaves the repository"
        if anchor:
            assert anchor in anchors(file), f"{target}: {file.name} has no such heading"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_files_named_in_the_text_exist(document: Path) -> None:
    for code in INLINE_CODE.findall(document.read_text()):
        word = code.split()[0]
        if word.split("/")[0] in FOLDERS and "/" in word and "://" not in word and not is_interface(word):
            assert (REPOSITORY / word).exists(), f"`{code}`: there is no {word}"


def is_interface(word: str) -> bool:
    return bool(re.fullmatch(r"rehab_pose_msgs/(?:msg|srv|action)/\w+", word))


def split_commands(line: str) -> Iterator[str]:
    """Yield the commands of a shell line, without comments and redirections."""
    for part in re.split(r"&&|;|\|(?= )", re.sub(r"(?:^|\s)#.*", "", line)):
        command = re.split(r"\s\d?>", part)[0].strip().removeprefix("$ ").removeprefix(".venv/bin/")
        if re.match(r"rehab-pose(?:-sim|-lab)? \w|scripts/\w", command):
            yield command


def commands(document: Path) -> Iterator[Command]:
    fenced = False
    for line in document.read_text().splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            yield from (Command(name_of(document), command, whole=True) for command in split_commands(line))
        else:
            for code in INLINE_CODE.findall(line):
                yield from (Command(name_of(document), command, whole=False) for command in split_commands(code))


HISTORY = "CHANGELOG.md"
"""Names commands of past versions."""
COMMANDS = [command for document in DOCUMENTS if document.name != HISTORY for command in commands(document)]


def words_of(line: str) -> list[str]:
    """Return the arguments; brackets around optional ones are dropped, placeholders become a number."""
    words = shlex.split(re.sub(r"[\[\]]", "", line))
    return [words[0], *("1" if PLACEHOLDER.fullmatch(word) else word for word in words[1:])]


def subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(found[0].choices) if found else {}


def follow(program: str, arguments: list[str]) -> None:
    """Check subcommands and options, whatever else is missing; a sentence may name half a command."""
    parser = PARSERS[program]()
    known = subcommands(parser)
    for word in arguments:
        if word == "--ros-args":
            return
        if word.startswith("-"):
            assert word.partition("=")[0] in parser._option_string_actions, f"{parser.prog} has no option {word}"
        elif known:
            assert word in known, f"{parser.prog} knows {', '.join(known)}, not {word}"
            parser = known[word]
            known = subcommands(parser)


def test_the_documents_show_commands() -> None:
    # If the way blocks are written changes, the tests below must not pass on nothing.
    assert sum(command.whole and command.document == "README.md" for command in COMMANDS) >= 5
    assert any(command.line.startswith("scripts/") for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.document}: {command.line}")
def test_commands_are_accepted(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    program, *arguments = words_of(command.line)
    if program.startswith("scripts/"):
        script = REPOSITORY / program
        assert script.is_file(), f"there is no {program}"
        assert script.stat().st_mode & 0o100, f"{program} is not executable"
        paths = [word for word in arguments if word.split("/")[0] in FOLDERS and "/" in word]
        assert all((REPOSITORY / path).exists() for path in paths), paths
        if program not in COMMANDS_BY_SCRIPT:
            return
        program, command_name = COMMANDS_BY_SCRIPT[program]
        arguments = [command_name, *arguments]
    follow(program, arguments)
    if command.whole:
        try:
            PARSERS[program]().parse_args(arguments)
        except SystemExit as end:
            if end.code:
                pytest.fail(capsys.readouterr().err)


@pytest.mark.parametrize("program", PARSERS)
def test_every_command_is_described(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name, parser in subcommands(PARSERS[program]()).items():
        with pytest.raises(SystemExit, match="0"):
            parser.parse_args(["--help"])
        assert f"{program} {name}" in capsys.readouterr().out


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_examples_run(example: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(example), "--frames", str(EXAMPLE_FRAMES)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "none" in result.stdout


def test_the_reference_of_nodes_is_current() -> None:
    committed = (REPOSITORY / "docs" / "nodes.md").read_text()
    assert committed == node_reference(), "run `rehab-pose-lab docs nodes > docs/nodes.md`"


WRITTEN = files(".md", ".py", ".yaml", ".xml", ".msg", ".srv", ".action", ".toml", ".cfg", ".rviz", ".txt", "")


@pytest.mark.parametrize("pattern", [MACHINE_PATH, FORGOTTEN], ids=["no machine's path", "nothing forgotten"])
def test_nothing_is_written_that_holds_for_one_machine_or_one_day(pattern: re.Pattern[str]) -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in WRITTEN
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)
