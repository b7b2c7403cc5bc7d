"""The trend of a person: means without poorly tracked repetitions, changes in words, charts, and the command."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from rehab_pose.cli.main import main
from rehab_pose.datatypes import Repetition
from rehab_pose.session.journal import Journal
from rehab_pose.session.journal_content import JournalContent, JournalHeader, JournalledRepetition
from rehab_pose.session.reports.change_words import against_last_time
from rehab_pose.session.reports.trend_chart import Place, trend_chart
from rehab_pose.session.reports.trend_page import exercise_results, trend_page

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

S = 1_000_000_000
POOR = "not assessed: median confidence of the joints 0.20, at least 0.4 is needed"


def repetition(number: int, degrees: float, quality: float) -> Repetition:
    start_ns = 4 * S * number
    far = math.radians(degrees)
    low, high = quality - 0.1, quality + 0.1
    withheld = POOR if math.isnan(quality) else ""
    return Repetition(
        start_ns + 2 * S,
        "cam",
        "trunk_rotation",
        number,
        start_ns,
        start_ns + 2 * S,
        "shoulder_yaw_rad",
        0.0,
        far,
        quality,
        quality_low=low,
        quality_high=high,
        quality_withheld=withheld,
    )


def session(day: int, *run: tuple[float, float]) -> JournalContent:
    content = JournalContent(JournalHeader(f"d{day}", "P1", target=3, started=f"2026-11-{day:02d}T10:00:00+01:00"))
    entries = [repetition(number, *values) for number, values in enumerate(run, start=1)]
    content.repetitions += [JournalledRepetition(entry, counted=True) for entry in entries]
    return content


def test_the_last_session_is_compared_with_the_one_before() -> None:
    before = session(20, (60.0, 0.5), (60.0, 0.5), (170.0, math.nan))
    [results] = exercise_results([before, session(27, (80.0, 0.9))]).values()
    assert [round(result.range) for result in results] == [60, 80]
    assert results[0].poor == 1
    assert against_last_time(results) == [
        "1 repetition, 2 fewer than on 20 November 2026.",
        "Range 80°, 20° larger.",
        "Time of a repetition 2.0 s, about the same (2.0 s).",
        "Quality 90 of 100, 40 better, more than their intervals explain.",
    ]
    [only] = exercise_results([before]).values()
    assert "first session" in against_last_time(only)[0]


def test_the_page_has_a_row_and_a_point_for_each_session() -> None:
    page = trend_page("P1", [session(13, (50.0, 0.5)), session(20, (60.0, math.nan)), session(27, (61.0, 0.8))], 1)
    assert page.count("<tr") == 1 + 3
    assert page.count("<circle") == 3 + 3 + 2, "one session has no quality"
    assert "13 November 2026 to 27 November 2026" in page
    assert "1 more could not be read" in page
    assert "turn of the shoulders" in page


def test_higher_values_are_drawn_higher_and_an_interval_is_a_line() -> None:
    chart = trend_chart("Quality", [Place("1 Nov", 20.0, 10.0, 30.0), Place("2 Nov", 80.0)], 100.0)
    first, second = (float(y) for y in re.findall(r'cy="([\d.]+)"', chart))
    assert second < first
    assert chart.count('stroke-width="1.5"') == 1 + 1


def test_the_command_writes_the_trend_of_one_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, code in (("a", "P1"), ("b", "P1"), ("c", "P2")):
        folder = tmp_path / f"{code}_{name}"
        folder.mkdir()
        journal = Journal.begin(folder, JournalHeader(name, code, started="2026-11-20T10:00:00+01:00"))
        journal.add_repetition(repetition(1, 50.0, 0.5), counted=True)
        journal.close()
    output = tmp_path / "trend.html"
    assert main(["session", "trend", "P1", "--folder", str(tmp_path), "-o", str(output)]) == 0
    assert "2 sessions of P1" in capsys.readouterr().out
    assert output.read_text().count("<tr") == 3
    assert main(["session", "trend", "P3", "--folder", str(tmp_path)]) == 2
    assert "there are P1, P2" in capsys.readouterr().err
