"""Sentences for the person who exercises."""

from __future__ import annotations

from rehab_pose.datatypes import Repetition
from rehab_pose.session.cues import COME_BACK, SEEN_AGAIN, SessionCues
from rehab_pose.session.state import Session, SessionStage, Tally


def repetition(count: int) -> Repetition:
    return Repetition(count * 10, "camera", "squat", count, count * 10 - 5, count * 10, "pelvis_drop_m", 0.0, 0.3, 0.9)


def session(target: int = 4) -> Session:
    return Session("one", "P01", SessionStage.RUNNING, Tally("squat", target=target))


def test_a_session_is_counted_aloud() -> None:
    cues, running = SessionCues(), session()
    said = [cues.of_session(running)]
    for count in range(1, 5):
        running.count(repetition(count))
        if running.tally.done:
            running.end("all done")
        said.append(cues.of_session(running))
        assert not cues.of_session(running), "each cue is given once"
    assert said == [
        "Squat, 4 repetitions. Begin when you are ready.",
        "1",
        "2. Half of them are done.",
        "3. One more.",
        "4. Well done, that was the last one.",
    ]


def test_an_ended_session_says_how_many_were_done() -> None:
    cues, running = SessionCues(), session()
    cues.of_session(running)
    running.count(repetition(1))
    cues.of_session(running)
    running.end("stopped")
    assert cues.of_session(running) == "The exercise has ended, 1 of 4 done."


def test_a_person_who_leaves_is_asked_back_once() -> None:
    cues = SessionCues()
    assert not cues.of_person(0.0, present=False), "no session is running"
    cues.of_session(session())
    said = [cues.of_person(time_s, present=False) for time_s in (1.0, 2.0, 3.9, 4.0, 5.0)]
    assert said == ["", "", "", COME_BACK, ""]
    assert [cues.of_person(6.0, present=True), cues.of_person(6.1, present=True)] == [SEEN_AGAIN, ""]
