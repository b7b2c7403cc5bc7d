"""Session report: content of the JSON file and of the page, and refusal of unsafe file names."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from rehab_pose.datatypes import Repetition, Side
from rehab_pose.errors import RecordingError
from rehab_pose.session.report import write_repetition_report

if TYPE_CHECKING:
    from pathlib import Path

NAN = float("nan")


def repetition(count: int, **changes: object) -> Repetition:
    fields: dict[str, object] = {
        "stamp_ns": 3_000_000_000 * count + 2_600_000_000,
        "frame_id": "camera",
        "label": "squat",
        "count": count,
        "start_ns": 3_000_000_000 * count,
        "end_ns": 3_000_000_000 * count + 2_500_000_000,
        "signal_name": "pelvis_drop_m",
        "signal_minimum": 0.0,
        "signal_maximum": 0.31,
        "quality": 0.8,
        "turn_ns": 3_000_000_000 * count + 1_000_000_000,
        "smoothness": -1.7,
        "asymmetry": 0.05,
    }
    return Repetition(**{**fields, **changes})  # type: ignore[arg-type]


class TagCounter(HTMLParser):
    """Counts tags and collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.text = 0, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag not in {"meta", "rect", "line"}
        assert not any(name in {"src", "href"} for name, _ in attrs), "the page must not load anything from the network"

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag not in {"meta", "rect", "line"}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_field_is_in_the_file_with_its_unit(tmp_path: Path) -> None:
    reasons = ("repetition 2: left knee bends 24 degrees less than usual",)
    unassessed = {"quality": NAN, "quality_withheld": "not assessed: 5 frames/s"}
    run = [repetition(1, quality_low=0.7, quality_high=0.9), repetition(2, reasons=reasons, turn_ns=0, **unassessed)]
    path = write_repetition_report(tmp_path / "new", "s-1", "P<7>", run)
    content = json.loads(path.read_text())
    first, second = content["repetitions"]
    assert first["signal_range_m"] == pytest.approx(0.31)
    assert (first["duration_s"], first["out_s"], first["back_s"]) == (2.5, 1.0, 1.5)
    assert second["quality"] is None
    assert second["out_s"] is None
    assert second["reasons"] == list(reasons)
    assert (first["quality_low"], first["quality_high"], first["quality_withheld"]) == (0.7, 0.9, "")
    assert (second["quality_low"], second["quality_withheld"]) == (None, "not assessed: 5 frames/s")
    assert content["sets"][0]["repetitions"] == 2
    assert content["sets"][0]["mean_quality"] == pytest.approx(0.8)


def test_the_page_is_well_formed_and_contains_values_and_reasons(tmp_path: Path) -> None:
    reasons = ("repetition 1: <trunk> leans",)
    run = [repetition(1, reasons=reasons), repetition(1, label="trunk_rotation", signal_name="a<b_rad")]
    run.append(repetition(2, side=Side.LEFT, asymmetry=NAN, smoothness=NAN, quality=0.2, signal_maximum=NAN))
    page = write_repetition_report(tmp_path, "s2", "P<7>", run).with_suffix(".html").read_text()
    parser = TagCounter()
    parser.feed(page)
    assert parser.depth == 0
    for words in (
        "squat",
        "trunk rotation",
        "31 cm",
        "18°",
        "<trunk> leans",
        "5 % left",
        "2.5 s",
        "subject P<7>",
        "Range of a<b",
    ):
        assert words in parser.text, words


def test_the_page_shows_the_interval_and_says_once_why_a_quality_is_missing(tmp_path: Path) -> None:
    unassessed = {"quality": NAN, "quality_withheld": "not assessed: 5 frames/s"}
    run = [repetition(1, quality_low=0.25, quality_high=0.75), *(repetition(count, **unassessed) for count in (2, 3))]
    page = write_repetition_report(tmp_path, "s4", "P7", run).with_suffix(".html").read_text()
    assert page.count("not assessed: 5 frames/s") == 1
    assert "repetitions 2, 3: not assessed: 5 frames/s" in page
    [interval] = re.findall(r'<line x1="([\d.]+)" x2="([\d.]+)" [^>]*stroke-width="2"', page)
    assert float(interval[1]) - float(interval[0]) == pytest.approx(0.5 * 140, abs=0.2)


def test_a_session_without_repetitions_has_a_report(tmp_path: Path) -> None:
    path = write_repetition_report(tmp_path, "s3", "P7", [])
    assert json.loads(path.read_text())["repetitions"] == []
    assert "No repetition" in path.with_suffix(".html").read_text()


@pytest.mark.parametrize("session_id", ["", "../up", "a/b", ".hidden", "a b"])
def test_a_session_id_that_is_not_a_file_name_is_refused(tmp_path: Path, session_id: str) -> None:
    with pytest.raises(RecordingError, match="session id"):
        write_repetition_report(tmp_path / "x", session_id, "P7", [])
    assert not (tmp_path / "x").exists()
