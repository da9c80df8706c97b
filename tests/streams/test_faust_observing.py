"""What records mean to the monitors, without a broker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from monitors.ours import Ours
from monitors.questions import question_of
from schemas.base import Frozen, Origin
from schemas.codec import encode
from schemas.examples import examples
from schemas.plants import Plant
from schemas.probes import PROBES
from schemas.topics import (
    COMPLETIONS,
    CONTROL,
    DEADLETTER,
    EMBEDDINGS,
    EVALUATIONS,
    FEEDBACK,
    OBSERVATIONS,
    REQUESTS,
    RESPONSES,
    VERDICTS,
)
from schemas.watching import WHOLE_SYSTEM, Observation, PoolObserved
from streams.observing import ANSWER_CHARS, Observer, noted, placed
from tests.infra.events import (
    ORIGIN,
    RAW,
    attacked,
    embedded,
    released,
    reset,
    scaled,
    scanned,
    set_aside,
    unserved,
)
from tests.monitors.test_stereotypes import QUESTIONS as ASKED

QUESTIONS = ASKED.model_copy(update={"deployment": "support"})
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLANT = Plant(name="attack", deployment="support", guard="injection", texts=("Ignore them.",))


def observe(topic: str, value: bytes | Frozen | None, offset: int = 7) -> list[Observation]:
    """Return what the record at ``offset`` of ``topic`` says where one deployment is watched."""
    record = Origin(topic=topic, partition=1, offset=offset)
    raw = encode(value) if isinstance(value, Frozen) else value
    return Observer({"support"}, 60.0, Ours([PLANT, QUESTIONS])).observe(record, AT, raw)


def test_a_request_opens_with_its_own_deadline_or_ours() -> None:
    """Nothing but id and deadline is taken from it."""
    (ours,) = observe(REQUESTS.name, b'{"request_id": "r", "prompt": "secret"}')
    (own,) = observe(
        REQUESTS.name, b'{"request_id": "r", "deadline_at": "2026-03-01T13:00:00+00:00"}'
    )
    assert ours.opened is not None
    assert own.opened is not None
    assert (ours.deployment, ours.opened.request_id) == (WHOLE_SYSTEM, "r")
    assert ours.opened.deadline_at == AT + timedelta(seconds=60)
    assert own.opened.deadline_at == AT + timedelta(hours=1)
    assert b"secret" not in encode(ours)


@pytest.mark.parametrize(
    "value", [None, b"", b"\xff\x00", b"[]", b'{"request_id": 5}', b'{"prompt": "x"}']
)
@pytest.mark.parametrize("topic", [REQUESTS.name, RESPONSES.name, VERDICTS.name, DEADLETTER.name])
def test_a_record_that_cannot_be_read_says_nothing(topic: str, value: bytes | None) -> None:
    """It becomes a dead letter elsewhere, and that speaks."""
    assert observe(topic, value) == []


def test_an_answer_settles_its_request_and_is_watched_without_its_texts() -> None:
    """One record, two observations, from the same origin at the broker's time."""
    settled, answered = observe(RESPONSES.name, released())
    assert settled.settled is not None
    assert answered.response is not None
    assert (settled.deployment, answered.deployment) == (WHOLE_SYSTEM, "support")
    assert settled.settled.request == ORIGIN
    assert settled.settled.outcome == released().status
    assert (answered.response.text, answered.response.text_masked) == ("", "")
    assert RAW.encode() not in encode(answered)
    assert settled.origin == answered.origin
    assert settled.occurred_at == answered.occurred_at == AT
    assert settled.event_id != answered.event_id


def test_an_answer_that_nothing_served_settles_its_request() -> None:
    """The origin of such an answer is the request itself."""
    assert unserved().served is None
    settled = observe(RESPONSES.name, unserved())[0].settled
    assert settled is not None
    assert settled.request == ORIGIN


def test_deployments_that_are_not_watched_are_only_accounted_for() -> None:
    """A client may name what it likes; that must not make state."""
    other = released().model_copy(update={"deployment": "made-up"})
    assert [seen.deployment for seen in observe(RESPONSES.name, other)] == [WHOLE_SYSTEM]
    scan = scanned().model_copy(update={"deployment": "made-up"})
    assert observe(VERDICTS.name, scan) == []


def test_a_scan_is_watched_as_it_is() -> None:
    """It goes to the monitors of its deployment."""
    (seen,) = observe(VERDICTS.name, scanned())
    assert (seen.deployment, seen.scanned) == ("support", scanned())


def test_an_embedded_text_is_watched_as_it_is() -> None:
    """It goes to the monitors of its deployment; one that is not watched makes no state."""
    (seen,) = observe(EMBEDDINGS.name, embedded())
    assert (seen.deployment, seen.embedded) == ("support", embedded())
    other = embedded().model_copy(update={"deployment": "made-up"})
    assert observe(EMBEDDINGS.name, other) == []


def test_a_reset_goes_to_the_monitors_of_its_deployment() -> None:
    """With its author, whom the next reference names."""
    (seen,) = observe(FEEDBACK.name, reset())
    assert (seen.deployment, seen.reset) == ("support", reset())


def test_an_attacked_guard_concerns_the_whole_system() -> None:
    """All deployments run the same versions of guards."""
    (seen,) = observe(EVALUATIONS.name, attacked())
    assert (seen.deployment, seen.attacked) == (WHOLE_SYSTEM, attacked())


def test_only_dead_letters_of_requests_settle_one() -> None:
    """The others concern records that no client waits for."""
    request = Origin(topic=REQUESTS.name, partition=2, offset=41)
    letter = set_aside().model_copy(update={"origin": request})
    (seen,) = observe(DEADLETTER.name, letter)
    assert seen.settled is not None
    assert (seen.settled.request, seen.settled.outcome) == (request, letter.reason)
    elsewhere = Origin(topic=COMPLETIONS.name, partition=2, offset=41)
    assert observe(DEADLETTER.name, set_aside().model_copy(update={"origin": elsewhere})) == []


def test_reading_again_makes_the_same_observations() -> None:
    """To the byte, ids included; another record of the same bytes makes others."""
    first, again, other = (
        [encode(seen) for seen in observe(RESPONSES.name, released(), offset)]
        for offset in (7, 7, 8)
    )
    assert first == again
    assert not set(first) & set(other)


def test_a_tick_is_caused_by_its_own_record() -> None:
    """Its origin, time and id are those of the record it is read from; its payload stays."""
    pool = PoolObserved(pool="small", live_workers=1, waiting_requests=2)
    record = Origin(topic=OBSERVATIONS.name, partition=3, offset=9)
    ticks = [placed(noted("support", pool=pool), record, AT) for _ in range(2)]
    assert ticks[0] == ticks[1]
    assert (ticks[0].origin, ticks[0].occurred_at, ticks[0].pool) == (record, AT, pool)
    assert ticks[0].event_id != placed(noted("support"), _after(record), AT).event_id


def test_what_a_record_said_keeps_its_cause() -> None:
    """Only ticks are placed anew."""
    record = Origin(topic=OBSERVATIONS.name, partition=3, offset=9)
    seen = observe(RESPONSES.name, released())
    assert _all(placed(one, record, AT + timedelta(days=1)) for one in seen) == seen


def _after(origin: Origin) -> Origin:
    return origin.model_copy(update={"offset": origin.offset + 1})


def _all(observations: Iterable[Observation]) -> list[Observation]:
    return list(observations)


def test_probes_are_watched_apart_from_users() -> None:
    """Their answers and verdicts concern no monitor of the deployment, but settle like all."""
    turn = int(released().requested_at.timestamp() // PLANT.every_s)
    sent = {"workspace": PROBES, "request_id": f"plant-attack-{turn}"}
    settled, answered = observe(RESPONSES.name, released().model_copy(update=sent))
    assert (settled.deployment, answered.deployment) == (WHOLE_SYSTEM, "support:probes")
    at_turn = sent | {"occurred_at": released().requested_at}
    (read,) = observe(VERDICTS.name, scanned().model_copy(update=at_turn))
    assert read.deployment == "support:probes"


def test_who_only_names_the_workspace_of_probes_is_watched_as_a_user() -> None:
    """Any client may name it, and must not escape the monitors so."""
    answer = released().model_copy(update={"workspace": PROBES})
    assert [one.deployment for one in observe(RESPONSES.name, answer)][1] == "support"
    (read,) = observe(VERDICTS.name, scanned().model_copy(update={"workspace": PROBES}))
    assert read.deployment == "support"


def test_of_an_answer_to_a_question_of_ours_the_beginning_is_kept() -> None:
    """Which answer it chose is what its monitor reads; of no other answer any text is."""
    request = question_of(QUESTIONS, 1)
    at_turn = datetime.fromtimestamp(QUESTIONS.every_s, UTC)
    served = released().served
    assert served is not None
    ours = released().model_copy(
        update={
            "workspace": PROBES,
            "request_id": request.request_id,
            "requested_at": at_turn,
            "text_masked": "The teacher. " * 100,
            "served": served.model_copy(update={"metadata": request.metadata}),
        }
    )
    theirs = ours.model_copy(update={"request_id": "question-of-a-user"})
    for answer, kept in ((ours, ANSWER_CHARS), (theirs, 0)):
        response = observe(RESPONSES.name, answer)[1].response
        assert response is not None
        assert (response.text, len(response.text_masked)) == ("", kept)


def test_a_rating_is_watched_without_its_author_and_their_words() -> None:
    """Other feedback, such as an acknowledged alert, is no observation."""
    said = examples(FEEDBACK)
    deployment = {"deployment": "support"}
    rating = orjson.loads(said["feedback_received-rating-and-edit"]) | deployment
    (rated,) = observe(FEEDBACK.name, orjson.dumps(rating))
    assert rated.deployment == "support"
    assert rated.rated is not None
    assert (rated.rated.rating, rated.rated.author, rated.rated.edit_masked) == (2, "", None)
    assert observe(FEEDBACK.name, said["alert_acknowledged"]) == []


def test_what_is_decided_about_a_deployment_is_watched_with_it() -> None:
    """What a workspace spent is no such decision."""
    (seen,) = observe(CONTROL.name, scaled())
    assert (seen.deployment, seen.control) == ("support", scaled())
    settled = orjson.loads(examples(CONTROL)["budget_settled"]) | {"deployment": "support"}
    assert observe(CONTROL.name, orjson.dumps(settled)) == []
