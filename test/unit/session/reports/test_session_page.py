"""The page of a session: words and units, pictures of the best and the weakest repetition, grey rows, and the files."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from rehab_pose.cli.main import main
from rehab_pose.datatypes import Repetition, Side
from rehab_pose.session.journal import Journal
from rehab_pose.session.journal_content import JournalContent, JournalHeader, JournalledRepetition
from rehab_pose.session.movement import RepetitionMovement
from rehab_pose.session.reports.measures import symmetry_words, tracking_words
from rehab_pose.session.reports.session_page import session_page
from rehab_pose.session.reports.skeleton_picture import skeleton_picture

if TYPE_CHECKING:
    from pathlib import Path

NAN = float("nan")
S = 1_000_000_000
JOINTS = tuple((index - 12, 4 * index - 60, index) for index in range(24))
VOID = {"meta", "rect", "line", "circle", "polygon"}


def moved(count: int, *, tracking: float = 0.9, angles: int = 92, counted: bool = True, **changes: object) -> object:
    fields: dict[str, object] = {
        "stamp_ns": 3 * S * count + 2 * S,
        "frame_id": "camera",
        "label": "squat",
        "count": count,
        "start_ns": 3 * S * count,
        "turn_ns": 3 * S * count + S,
        "end_ns": 3 * S * count + 2 * S,
        "signal_name": "pelvis_drop_m",
        "signal_minimum": 0.0,
        "signal_maximum": 0.31,
        "quality": 0.8,
        "smoothness": -1.7,
        "asymmetry": 0.12,
    }
    ranges = (
        *(("left_knee_flexion", 4, angles), ("right_knee_flexion", 6, 88), ("trunk_flexion", 0, 3)),
        ("trunk_axial_rotation", -36, 34),
    )
    movement = RepetitionMovement(JOINTS, ranges, 0.5, tracking)
    return JournalledRepetition(Repetition(**{**fields, **changes}), counted, movement)  # type: ignore[arg-type]


def page(*entries: object, **header: object) -> str:
    content = JournalContent(JournalHeader("s1", **{"subject_code": "P7", "exercise": "squat", **header}))  # type: ignore[arg-type]
    content.repetitions += entries  # type: ignore[arg-type]
    return session_page(content)


class Text(HTMLParser):
    """Checks that tags are closed and that nothing is loaded, and collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        assert not any(name in {"src", "href"} for name, _ in attrs), "the page must not load anything"

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def text_of(html: str) -> str:
    parser = Text()
    parser.feed(html)
    assert not parser.open
    return parser.text


def test_the_page_has_target_date_degrees_and_the_reference_people() -> None:
    words = text_of(
        page(
            moved(1, quality_low=0.7, quality_high=0.9, reasons=("repetition 1: <trunk> leans",)),
            moved(2, counted=False, label="arm_lifting"),
            target=3,
            started="2026-11-27T14:05:33+01:00",
            subject_code="P<7>",
        )
    )
    for expected in (
        *("Squat", "Person P<7>", "27 November 2026, 14:05", "1 of 3", "2 missing", "80 of 100", "31 cm"),
        *(
            "Knee flexion",
            "4° to 92°",
            "6° to 88°",
            "36° right to 34° left",
            "left larger by 12 %",
            "80 (70 to 90)",
            "1.0 s",
            "0.5 s",
        ),
        *("36 healthy people", "<trunk> leans", "Seen and not counted: 1 of "),
    ):
        assert expected in words, expected
    assert "Trunk flexion" not in words, "it moved by 3 degrees"


def test_the_best_and_the_weakest_repetition_are_drawn_and_poor_tracking_is_grey() -> None:
    html = page(
        moved(1, quality=0.6),
        moved(2, quality=0.9),
        moved(3, quality=0.1, tracking=0.2, angles=170),
        moved(4, quality=NAN, quality_withheld="not assessed: 5 frames/s", angles=170),
    )
    assert [*re.findall(r"<b>(\w+: repetition \d)</b>", html)] == ["Best: repetition 2", "Weakest: repetition 1"]
    assert html.count('<tr class="poor">') == 2
    assert "2 of 4 repetitions (grey)" in html
    assert "4° to 92°" in html, "grey repetitions are no part of the mean"


def test_without_quality_the_largest_and_the_smallest_are_drawn_and_rows_are_not_grey() -> None:
    unassessed: dict[str, Any] = {
        "quality": NAN,
        "quality_withheld": "not assessed: no norms of healthy people for this exercise",
    }
    html = page(
        moved(1, label="bridge", signal_name="pelvis_rise_m", side=Side.LEFT, **unassessed),
        moved(2, label="bridge", signal_name="pelvis_rise_m", signal_maximum=0.2, **unassessed),
        exercise="",
    )
    assert [*re.findall(r"<b>(\w+: repetition \d)</b>", html)] == ["Largest: repetition 1", "Smallest: repetition 2"]
    assert '<tr class="poor">' not in html
    assert "no recordings of healthy people" in html
    assert "no norms" not in html, "it says so once"


def test_where_all_are_tracked_poorly_the_body_is_drawn_grey_and_numbers_are_those_of_the_session() -> None:
    html = page(moved(7, tracking=0.2, reasons=("repetition 7: left knee bends less",)))
    assert "<figure class=poor>" in html
    assert "all tracked poorly" in html
    assert "Repetition 1: left knee bends less" in html
    assert "7" not in re.findall(r'data-label="No."><span[^>]*>(\d+)', html)


def test_a_journal_without_movements_has_a_page_without_pictures() -> None:
    entry = moved(1)
    assert isinstance(entry, JournalledRepetition)
    html = page(JournalledRepetition(entry.repetition, counted=True))
    assert "figure" not in re.sub("<style>.*</style>", "", html, flags=re.DOTALL)
    assert "not recorded" in html


def test_a_body_is_drawn_twice_with_its_sides_in_their_colours() -> None:
    picture = skeleton_picture(JOINTS, "a < b")
    assert picture.count("from the ") == 2
    assert picture.count("#2563b0") == picture.count("#c8501e") == 12
    assert "a &lt; b" in picture
    assert skeleton_picture((None,) * 20 + JOINTS[:4], "") == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (symmetry_words(-0.2), "right larger by 20 %"),
        (symmetry_words(0.01), "even"),
        (symmetry_words(NAN), "not measured"),
        (tracking_words(0.5), "fair"),
        (tracking_words(0.1), "poor"),
        (tracking_words(NAN), "not recorded"),
    ],
)
def test_measures_have_words(words: str, expected: str) -> None:
    assert words == expected


def test_the_command_writes_page_and_pdf_for_the_owner_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weasyprint = pytest.importorskip("weasyprint", reason="the extra `reports` is not installed")
    long = page(*(moved(number, reasons=("left knee bends less",) * (number == 3)) for number in range(1, 15)))
    assert len(weasyprint.HTML(string=long).render().pages) == 1
    folder = tmp_path / "sessions" / "P7_s1"
    folder.mkdir(parents=True)
    journal = Journal.begin(folder, JournalHeader("s1", "P7", exercise="squat"))
    entry = moved(1)
    assert isinstance(entry, JournalledRepetition)
    journal.add_repetition(entry.repetition, counted=True, movement=entry.movement)
    journal.close()
    command = ["session", "report", "s1", "--folder", str(tmp_path / "sessions")]
    assert main(command) == 0
    assert "Best: repetition 1" in (folder / "s1_repetitions.html").read_text()
    output = tmp_path / "report.pdf"
    assert main([*command, "-o", str(output)]) == 0
    data = output.read_bytes()
    assert data.startswith(b"%PDF")
    assert output.stat().st_mode & 0o077 == 0
    assert main([*command, "-o", str(output)]) == 2
    assert main([*command, "--pdf", "-o", str(tmp_path / "report.html")]) == 2
    assert "exists already" in capsys.readouterr().err
