"""Tracebacks of programs that a signal met before their first line are told from those of our modules."""

from __future__ import annotations

from pathlib import Path

import rehab_pose
from rehab_pose_lab.benchmarks.stop_signals import before_first_line

PACKAGE = Path(rehab_pose.__file__).parent
INTERPRETER = """Traceback (most recent call last):
  File "<frozen site>", line 195, in addpackage
  File "{checkout}/.venv/lib/python3.11/site-packages/__editable___rehab_pose_0_1_0_finder.py", line 5, in <module>
  File "/usr/lib/python3.11/importlib/machinery.py", line 9, in <module>
KeyboardInterrupt
"""
RUN_MODULE = """Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "{package}/cli/main.py", line 7, in <module>
KeyboardInterrupt
"""


def test_the_finder_of_an_editable_package_runs_before_a_program() -> None:
    assert before_first_line(INTERPRETER.format(checkout=PACKAGE.parent))


def test_a_traceback_through_one_of_our_modules_is_the_programs() -> None:
    assert not before_first_line(RUN_MODULE.format(package=PACKAGE))
    assert not before_first_line(INTERPRETER.format(checkout=PACKAGE.parent) + RUN_MODULE.format(package=PACKAGE))


def test_an_error_without_files_is_the_programs() -> None:
    assert not before_first_line("Fatal Python error: could not acquire lock")
