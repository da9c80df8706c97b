"""Episodes and alerts: what is missing, early, late or beside the point is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.demo.episodes import GRACE, Judgement, Raised, Window, judge
from infra.demo.progress import Stretch
from infra.demo.report import Played
from schemas.base import Origin, event_id
from schemas.watching import AlertChanged

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
SEGMENTS: dict[str, dict[str, Any]] = {
    "injection": {
        "monitor": "guard_rates",
        "segment": {"guard": "injection", "direction": "prompt"},
        "cause": "injection flagged 60 % of prompts",
    },
    "topics": {"monitor": "topic_shift", "cause": "60 % were rare; grown: cooking 20 % (0 %)"},
    "pasting": {
        "monitor": "guard_rates",
        "segment": {"guard": "pii", "direction": "prompt", "label": "CARD"},
        "cause": "pii flagged 40 % of prompts for CARD",
    },
    "slow": {"monitor": "latency", "cause": "half of the answers took over 4 s"},
}


def at(seconds: float) -> datetime:
    """Return the time ``seconds`` after the beginning."""
    return NOON + timedelta(seconds=seconds)


def window(phase: str, began_s: float, ended_s: float) -> Window:
    """Return when a phase was."""
    return Window(phase, at(began_s), at(ended_s))


def raised(about_s: float, came_s: float, **fields: Any) -> Raised:
    """Return an alert about what happened at ``about_s`` that came at ``came_s``."""
    given = {
        "monitor": "latency",
        "cause": "",
        "segment": {},
        "metric": "some",
        "title": "some",
        **fields,
    }
    alert = AlertChanged(
        event_id=event_id("alert", str(fields), str(came_s)),
        occurred_at=at(about_s),
        alert_id=str(given),
        firing=1,
        rule="default",
        state="firing",
        severity="warning",
        deployment="bank",
        value=1.0,
        since_at=at(about_s),
        fired_at=at(about_s),
        origin=Origin(topic="t", partition=0, offset=0),
        **given,
    )
    return Raised(alert, at(came_s))


WINDOWS = [
    window("normal", 0, 60),
    window("injection", 60, 75),
    window("topics", 90, 110),
    window("pasting", 130, 145),
    window("slow", 160, 210),
]
IN_TIME = [
    raised(65, 67, **SEGMENTS["injection"]),
    raised(100, 102, **SEGMENTS["topics"]),
    raised(135, 136, **SEGMENTS["pasting"]),
    raised(185, 190, **SEGMENTS["slow"]),
]


def played(judgement: Judgement, usual_s: float = 0.5, slow_s: float = 3.0) -> Played:
    """Return the whole play around ``judgement``."""
    warmup = Stretch("warm-up", "", 1, 1, 1, [usual_s])
    slow = Stretch("slow", "", 1, 1, 1, [slow_s])
    return Played(judgement, [warmup, slow])


def test_each_episode_finds_its_alert() -> None:
    """All four told in time: the demo passes, and delays are counted from the first request."""
    judgement = judge(WINDOWS, IN_TIME)
    assert judgement.passed
    assert [episode.delay_s for episode in judgement.episodes] == [7.0, 12.0, 6.0, 30.0]
    assert played(judgement).amiss == []


def test_a_missing_alert_fails() -> None:
    """Whichever episode stays without its alert, it is named."""
    for index, name in enumerate(SEGMENTS):
        judgement = judge(WINDOWS, [*IN_TIME[:index], *IN_TIME[index + 1 :]])
        assert not judgement.passed
        assert played(judgement).amiss == [f"no alert named the episode {name}"]


def test_an_alert_before_the_first_episode_fails() -> None:
    """What happened before the first episode must not alert, even if it is told within one."""
    for early in (raised(30, 31), raised(59, 62)):
        judgement = judge(WINDOWS, [early, *IN_TIME])
        assert judgement.early == (early,)
        assert not judgement.passed
        assert "before the first episode" in played(judgement).amiss[0]


def test_an_alert_that_names_another_cause_does_not_count() -> None:
    """The right monitor with the wrong segment, or a cause without the words, is beside it."""
    wrong = [
        raised(65, 67, **{**SEGMENTS["injection"], "segment": {"guard": "tone"}}),
        raised(100, 102, **{**SEGMENTS["topics"], "cause": "something changed"}),
        raised(135, 136, **{**SEGMENTS["pasting"], "cause": "pii flagged much for EMAIL"}),
        raised(185, 190, **{**SEGMENTS["slow"], "monitor": "length"}),
    ]
    judgement = judge(WINDOWS, wrong)
    assert [episode.raised for episode in judgement.episodes] == [None] * 4
    assert judgement.beside == tuple(wrong)


def test_an_alert_after_the_grace_does_not_count() -> None:
    """An alert may come a little after the last answer of its episode, and no later."""
    end = WINDOWS[1].ended_at + GRACE
    for late_s, counts in ((-1, True), (1, False)):
        came = (end - NOON).total_seconds() + late_s
        judgement = judge(WINDOWS, [raised(70, came, **SEGMENTS["injection"]), *IN_TIME[1:]])
        assert judgement.passed is counts


def test_an_alert_of_an_earlier_phase_does_not_count() -> None:
    """An alert about what happened before the episode is not the episode's."""
    judgement = judge(WINDOWS, [*IN_TIME[:3], raised(150, 165, **SEGMENTS["slow"])])
    assert judgement.episodes[3].raised is None


def test_side_effects_are_listed_and_harmless() -> None:
    """Other alerts during or after episodes are told, and do not fail the demo."""
    other = raised(105, 106, monitor="length")
    judgement = judge(WINDOWS, [*IN_TIME, other])
    assert judgement.passed
    assert judgement.beside == (other,)


def test_what_was_not_played_fails_unless_it_was_skipped() -> None:
    """A run cut short does not pass; an episode that cannot be played here is excused."""
    judgement = judge(WINDOWS[:4], IN_TIME[:3])
    cut = Played(judgement, [Stretch("warm-up", "", 1)])
    assert cut.amiss == ["the episode slow was not played"]
    excused = Played(judgement, [Stretch("warm-up", "", 1)], {"slow": "workers are elsewhere"})
    assert excused.amiss == []


def test_answers_must_really_have_become_slow() -> None:
    """Slower by less than four times is not the episode that was planned."""
    judgement = judge(WINDOWS, IN_TIME)
    assert "factor of 3.0" in played(judgement, usual_s=0.5, slow_s=1.5).amiss[0]
