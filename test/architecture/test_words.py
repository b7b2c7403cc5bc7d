"""Words that docs/glossary.md excludes do not occur in code, messages, settings and documents."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
GLOSSARY = REPOSITORY / "docs" / "glossary.md"
ENDINGS = {".py", ".md", ".msg", ".srv", ".action", ".yaml", ".toml", ".cfg", ".xml"}
EXCEPT = {"docs/glossary.md", "CHANGELOG.md", "LICENSE"}
"""The list itself; history; somebody else's text."""
VAGUE_TITLES = re.compile(r"(?:What|Who|How|Whether|Where) ")
"""A docstring says what is computed: it does not begin with a question word."""
RETIRED_IDENTIFIERS = re.compile(
    r"\b\w*(?:Carrier|TwinInput|FramePairer|Workshop|said_of|held_back|passed_on|NEVER_BACK|OFF_THE_PATH)\w*\b"
    r"|\b(?:MOST|FEWEST|LEAST|USUAL)_[A-Z]\w*|\b[A-Z]\w*_SHARE\b"
)
"""Names that were replaced; NS_PER_S is defined in one place."""


def excluded_words() -> list[str]:
    table = GLOSSARY.read_text(encoding="utf-8").split("## Words that are not used")[1]
    rows = re.findall(r"^\| (.+?) \|", table, re.MULTILINE)
    return [word.strip() for row in rows if row not in {"not", "---"} for word in row.split(",")]


def written_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.splitlines() if Path(name).suffix in ENDINGS and name not in EXCEPT]
    return [REPOSITORY / name for name in sorted(names) if (REPOSITORY / name).is_file()]


FILES = written_files()
PYTHON_FILES = [path for path in FILES if path.suffix == ".py"]


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_the_glossary_lists_words() -> None:
    assert {"anew", "nobody", "so many"} <= set(excluded_words())


@pytest.mark.parametrize("path", [path for path in FILES if path.name != Path(__file__).name], ids=name_of)
def test_excluded_words_do_not_occur(path: Path) -> None:
    pattern = re.compile(
        r"(?<![A-Za-z])(?:" + "|".join(map(re.escape, excluded_words())) + r")(?![a-z])", re.IGNORECASE
    )
    lines = path.read_text(encoding="utf-8").replace("_", " ").splitlines()
    found = [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if pattern.search(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", PYTHON_FILES, ids=name_of)
def test_docstrings_do_not_begin_with_a_question_word(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented)]
    found = [text.splitlines()[0] for text in texts if text and VAGUE_TITLES.match(text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", [path for path in PYTHON_FILES if path.name != Path(__file__).name], ids=name_of)
def test_retired_identifiers_do_not_come_back(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not RETIRED_IDENTIFIERS.findall(text)
    assert path.name == "units.py" or not re.search(r"^NS_PER_S\b.*=", text, re.MULTILINE)
