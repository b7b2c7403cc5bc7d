"""docs/exercises.md agrees with the library of exercises."""

from __future__ import annotations

from pathlib import Path

from rehab_pose.exercise.exercise_library import SHIPPED_FOLDER, shipped_library
from rehab_pose.exercise.signal_expression import FUNCTIONS
from rehab_pose_lab.docs.exercise_page import END, START, exercise_page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "exercises.md"


def test_the_page_is_current() -> None:
    committed = PAGE.read_text(encoding="utf-8")
    generated = committed[committed.index(START) : committed.index(END) + len(END)] + "\n"
    assert generated == exercise_page(), "put the output of `rehab-pose-lab docs exercises` into docs/exercises.md"


def test_the_page_has_every_exercise_and_function() -> None:
    page = exercise_page()
    names = [file.stem for file in SHIPPED_FOLDER.glob("*.yaml")]
    assert set(names) == set(shipped_library().names)
    assert all(f"### {name}\n" in page for name in names)
    assert all(f"`{name}(" in page for name in (*FUNCTIONS, "position", "along"))
