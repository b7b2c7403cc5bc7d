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


def test_a_traceback_of_the_finder_of_editable_packages_is_from_before_the_first_line() -> None:
    assert before_first_line(INTERPRETER.format(checkout=PACKAGE.parent))


def test_a_traceback_with_one_of_our_modules_is_from_after_the_first_line() -> None:
    assert not before_first_line(RUN_MODULE.format(package=PACKAGE))
    assert not before_first_line(INTERPRETER.format(checkout=PACKAGE.parent) + RUN_MODULE.format(package=PACKAGE))


def test_tracebacks_of_other_packages_and_of_threads_are_from_after_the_first_line() -> None:
    thread = 'Traceback (most recent call last):\n  File "/usr/lib/python3.11/threading.py", line 1045, in run\n'
    library = '  File "/usr/lib/python3.11/site-packages/rclpy/executors.py", line 796, in wait\nKeyboardInterrupt\n'
    assert not before_first_line(thread)
    assert not before_first_line(RUN_MODULE.splitlines(keepends=True)[1] + library)


def test_an_error_without_files_is_not_taken_for_one_before_the_first_line() -> None:
    assert not before_first_line("Fatal Python error: could not acquire lock")
