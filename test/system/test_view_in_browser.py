"""The page of a recording in a browser: pictures, session from its buttons, patient's page, seeking, accessibility."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose_sim.recording import write_bag
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
BROWSER = shutil.which("chromium")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no chromium")

AXE = Path(__file__).parent / "axe" / "axe.min.js"
"""axe-core 4.14.1 (MPL-2.0), unchanged from npm."""
FRAMES = 180
"""Frames at 30 Hz: the simulated person ends the first squat after 5 s."""
WAIT_MS = 60_000
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
CHECK = (
    "async () => (await axe.run(document)).violations.map(v => [v.impact, v.id, v.nodes.map(n => n.html).join(' ')])"
)
COLOURS = """() => {
  const canvas = document.getElementById('image');
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(Array.from({length: 200}, (_, i) => data[i * 4 * 997 % data.length])).size;
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address that `rehab-pose view` prints for a recording; Ctrl-C ends it without an error."""
    bag = tmp_path_factory.mktemp("view") / "squat"
    write_bag(bag, SimulationSettings(exercise="squat"), range(FRAMES))
    command = [sys.executable, "-m", "rehab_pose.cli.main", "view", str(bag), "--port", "0", "--no-open"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ) as program:
        assert program.stdout is not None
        found = re.search(r"http://\S+", program.stdout.readline())
        assert found, program.communicate()[1]
        yield found.group()
        program.send_signal(signal.SIGINT)
        try:
            _, errors = program.communicate(timeout=30)
        finally:
            program.kill()  # where Ctrl-C is ignored, as in a background job, the end of `with` would wait for ever
    assert program.returncode == 0
    assert not errors


@pytest.fixture(scope="module")
def open_page(address: str) -> Iterator[Callable[..., Any]]:
    """Return a function that opens a page; errors in its console fail the test that ends the module."""
    problems: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        )
        context = browser.new_context()
        context.set_default_timeout(WAIT_MS)

        def opened(path: str = "/", size: dict[str, int] = DESKTOP) -> Any:  # noqa: ANN401
            page = context.new_page()
            page.set_viewport_size(size)
            page.on("console", lambda entry: problems.append(entry.text) if entry.type == "error" else None)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.goto(address.replace("/?", f"{path}?"))
            return page

        yield opened
        browser.close()
    assert not problems


def wait_for(page: Any, selector: str, pattern: str) -> None:  # noqa: ANN401
    playwright.expect(page.locator(selector)).to_have_text(re.compile(pattern), timeout=WAIT_MS)


def test_a_session_is_started_and_counted_from_the_buttons(open_page: Callable[..., Any]) -> None:
    page, patient = open_page(), open_page("/patient", PHONE)
    page.wait_for_function("() => document.getElementById('exercise').options.length > 20")
    page.locator("#place").fill("0")
    page.select_option("#exercise", label="Squat")
    page.fill("#repetitions", "1")
    page.fill("#hold-s", "1")
    page.press("#repetitions", "Enter")
    wait_for(page, "#session", "Squat, running")
    wait_for(patient, "#cue", "Squat, 1 repetition. Begin when you are ready.")
    patient.wait_for_function("() => !document.getElementById('hold-box').hidden", polling=50)
    wait_for(page, "#label", "Squat")
    wait_for(page, "#session", "all 1 repetitions done")
    wait_for(page, "#count-line", r"1\s+of 1 repetitions")
    wait_for(patient, "#count-line", r"1\s+of 1 repetitions")
    wait_for(patient, "#cue", "1. Well done, that was the last one.")
    wait_for(page, "#repetition", r"Squat 1: \d\.\d s")
    assert page.url.endswith("/"), "the token does not stay in the address"
    page.close()
    patient.close()


def test_the_page_shows_image_body_and_angles_and_seeks(open_page: Callable[..., Any]) -> None:
    page = open_page()
    wait_for(page, "#tracking-words", "Good|Fair")
    playwright.expect(page.locator("#no-image")).to_be_hidden(timeout=WAIT_MS)
    playwright.expect(page.locator("#no-body")).to_be_hidden(timeout=WAIT_MS)
    page.wait_for_function(f"() => ({COLOURS})() > 20")
    page.locator("#place").fill("4.5")
    wait_for(page, "#time", "0:0[45] of 0:0[56]")
    wait_for(page, "figure:has-text('Knee flexion') .value", r"left \d+° right \d+°")
    page.uncheck("#show-image")
    page.wait_for_function(f"() => ({COLOURS})() < 20")
    page.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("path", ["/", "/patient"])
def test_nothing_keeps_people_out(
    open_page: Callable[..., Any], path: str, size: dict[str, int], record_property: Callable[[str, object], None]
) -> None:
    page = open_page(path, size)
    page.wait_for_timeout(500)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = [finding for finding in page.evaluate(CHECK) if finding[0] in {"serious", "critical"}]
    record_property("a11y_serious", len(found))
    assert not found
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth"), "scrolls sideways"
    page.close()


def test_every_control_is_reached_and_seen_with_the_keyboard(open_page: Callable[..., Any]) -> None:
    page = open_page()
    playwright.expect(page.locator("#player")).to_be_visible(timeout=WAIT_MS)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        name, outline = page.evaluate(
            "() => [document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
        )
        if name:
            reached.add(name)
            assert outline != "none", f"{name}: the focus is not visible"
    assert {"play", "place", "speed", "show-image", "body", "show-bones", "turn-left", "exercise", "start"} <= reached
    page.focus("#body")
    page.keyboard.press("ArrowLeft")
    page.close()
