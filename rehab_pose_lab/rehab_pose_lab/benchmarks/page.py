"""The page in the browser: its rate, the frames that it costs the graph, the time until it answers, and its tests."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RehabPoseError
from rehab_pose.launching.node_commands import node_environment
from rehab_pose.units import NS_PER_S
from rehab_pose.view.graph_page import GraphPage
from rehab_pose.view.settings import ViewSettings
from rehab_pose.view.wire import decode_message
from rehab_pose_lab.benchmarks.camera_runs import camera_plan, finished_run
from rehab_pose_lab.benchmarks.running_graph import use_private_domain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rehab_pose_sim.graph_watch import GraphRecord

__all__ = ["browser_metrics", "page_metrics"]

MEASURED_S = 20.0
"""Length of the exercise in each run [s]."""
ROUNDS = 3
OPEN_S = 2.5
"""The page is open and closed in turns of this length [s]: the load of the machine changes more slowly."""
SETTLE_S = 0.8
"""Start of each turn that is not measured, while subscriptions begin and end [s]."""
LOWEST_PRIORITY = 19
"""Niceness of the reader, which stands for another machine."""
SHOWN = ("image", "mesh")
"""What the page shows when it is opened: all but the bones."""
READY_S = 120.0
"""Longest wait for the demo's page [s]."""
BROWSER_TEST = Path(__file__).resolve().parents[3] / "test" / "system" / "test_view_in_browser.py"


def page_metrics(log: Callable[[str], None]) -> dict[str, float]:
    """Return rate, cost and readiness of the page of a running graph.

    The page is read by a program that takes image and mesh as a browser on another machine does, and draws nothing.

    Args:
        log: Receives a line of text for each event.

    Raises:
        RehabPoseError: A node of the graph failed, or the page did not answer.
    """
    use_private_domain()
    rates: list[float] = []
    sent, answered = {True: 0, False: 0}, {True: 0, False: 0}
    for _ in range(ROUNDS):
        page = GraphPage.prepare(ViewSettings(port=0))
        reader = _PageReader(page)
        record = _graph_record(page, log)
        for turn in reader.turns():
            first_ns, last_ns = round((turn["start_s"] + SETTLE_S) * NS_PER_S), round(turn["end_s"] * NS_PER_S)
            stamps = [stamp for stamp in record.camera_ns if first_ns <= stamp < last_ns]
            sent[turn["open"]] += len(stamps)
            answered[turn["open"]] += sum(stamp in record.exercise_ns for stamp in stamps)
            if turn["open"] and stamps:
                rates.append(turn["fps"])
    log(f"page open: {answered[True]} of {sent[True]} frames answered, closed: {answered[False]} of {sent[False]}")
    if not all(answered.values()) or not rates:
        msg = "bench: expected frames with the page open and closed, got none"
        raise RehabPoseError(msg)
    ratio = (answered[True] / sent[True]) / (answered[False] / sent[False])
    return {
        "view_fps": round(median(rates), 2),
        "view_answered_pct": round(100.0 * answered[True] / sent[True], 2),
        "view_graph_cost_pct": round(100.0 * (1.0 - ratio), 2),
        "page_ready_s": round(_ready_s(), 2),
    }


def browser_metrics(log: Callable[[str], None]) -> dict[str, float]:
    """Return the number of tests of the page in Chromium that passed and failed, and of serious findings of axe-core.

    Args:
        log: Receives the reason of each failure.

    Raises:
        RehabPoseError: The tests did not run, for example because there is no Chromium.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n0", str(BROWSER_TEST), f"--junitxml={report}"]
        command += ["-o", "junit_family=xunit1"]  # the form that keeps the properties of tests
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (our own tests)
        if not report.is_file():
            msg = f"bench: expected results of {BROWSER_TEST}, got {done.stdout[-500:]}{done.stderr[-500:]}"
            raise RehabPoseError(msg)
        cases = list(ET.parse(report).iter("testcase"))  # noqa: S314  (written by pytest)
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    for case in bad:
        reason = next(entry for entry in case if entry.tag in {"failure", "error"})
        log(f"{case.get('name')}: {reason.get('message')}")
    skipped = [case for case in cases if case.find("skipped") is not None]
    if len(skipped) == len(cases):
        msg = "bench: expected tests in a browser, all were skipped; install chromium and playwright"
        raise RehabPoseError(msg)
    found = [
        float(entry.get("value", "0"))
        for case in cases
        for entry in case.iter("property")
        if entry.get("name") == "a11y_serious"
    ]
    return {
        "browser_tests": float(len(cases) - len(bad) - len(skipped)),
        "browser_tests_failed": float(len(bad)),
        "a11y_serious": sum(found) if found else float("nan"),
    }


class _PageReader:
    """Opens and closes a page in turns, in a process of its own, from the moment that it answers."""

    def __init__(self, page: GraphPage) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._output = ""
        self._answered = threading.Event()
        page.announce(lambda _: self._start(page), opening=False)

    def _start(self, page: GraphPage) -> None:
        command = [sys.executable, "-m", __name__, page.url]
        self._process = subprocess.Popen(  # noqa: S603  (this module)
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def turns(self) -> list[dict[str, Any]]:
        """Return start, end, rate and whether the page was open, for each turn; the reader ends with the page.

        Raises:
            RehabPoseError: The page did not answer.
        """
        if self._process is None:
            msg = "bench: expected a page that answers, it did not during the run"
            raise RehabPoseError(msg)
        output, _ = self._process.communicate(timeout=READY_S)
        return [json.loads(line) for line in output.splitlines()]


def _graph_record(page: GraphPage, log: Callable[[str], None]) -> GraphRecord:
    """Run the graph in one process; return its frames and labels.

    Raises:
        RehabPoseError: A node of the graph failed.
    """
    graph = finished_run(replace(camera_plan(composed=True), seconds_per_exercise=MEASURED_S, page=page), log)
    if graph.record is None:
        msg = "bench: expected a record of the graph's topics, the run has none"
        raise RehabPoseError(msg)
    return graph.record


def _ready_s() -> float:
    """Return the time from typing `scripts/demo`, set-up done, until its live page answers [s].

    Raises:
        RehabPoseError: The page did not answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        start_s = time.monotonic()
        command = [sys.executable, "-m", "rehab_pose_sim.cli.main", "demo", "-o", folder, "--port", "0", "--no-open"]
        with subprocess.Popen(  # noqa: S603  (our own command)
            command, env=node_environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as demo:
            assert demo.stdout is not None  # noqa: S101  (asked for above)
            for line in demo.stdout:
                if re.match(r"live page: http", line):
                    ready_s = time.monotonic() - start_s
                    demo.send_signal(signal.SIGINT)
                    demo.stdout.read()
                    return ready_s
                if time.monotonic() - start_s > READY_S:
                    demo.kill()
    msg = f"bench: expected the demo's page within {READY_S:.0f} s"
    raise RehabPoseError(msg)


def read_page(url: str) -> Iterator[dict[str, Any]]:
    """Take states like a browser, in turns with the page closed, until the page ends; yield each turn.

    Args:
        url: Address with the token.
    """
    from websockets.exceptions import WebSocketException  # noqa: PLC0415  (an extra)
    from websockets.sync.client import connect  # noqa: PLC0415
    from websockets.typing import Origin  # noqa: PLC0415

    origin, _, query = url.partition("/?")
    address = f"{origin.replace('http', 'ws', 1)}/state?{query}"
    try:
        while True:
            start_s, frames = time.time(), 0
            with connect(address, origin=Origin(origin), max_size=None, compression=None) as socket:
                socket.send(json.dumps({"show": SHOWN}))
                while time.time() < start_s + OPEN_S:
                    try:
                        number, contents, _ = decode_message(socket.recv(OPEN_S, decode=False))
                    except TimeoutError:
                        break
                    socket.send(json.dumps({"acknowledge": number}))
                    frames += "joints" in contents and time.time() >= start_s + SETTLE_S
            end_s = time.time()
            yield {"open": True, "start_s": start_s, "end_s": end_s, "fps": frames / (end_s - start_s - SETTLE_S)}
            time.sleep(OPEN_S)
            yield {"open": False, "start_s": end_s, "end_s": time.time()}
    except (OSError, WebSocketException):
        return  # the page has ended


if __name__ == "__main__":
    os.nice(LOWEST_PRIORITY)
    for one in read_page(sys.argv[1]):
        sys.stdout.write(json.dumps(one) + "\n")
        sys.stdout.flush()
