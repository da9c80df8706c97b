"""The worker: what becomes of admitted requests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from inference.scripted import Line, ScriptedArgs, ScriptedEngine
from monitors.scanning import Scanner
from schemas.codec import encode
from schemas.errors import EngineUnavailable
from schemas.registry import GuardRule, Policy
from schemas.requests import CompletionAdmitted, CompletionFinished, FailureReason
from schemas.topics import COMPLETIONS, DEADLETTER, RESPONSES, work_topic
from schemas.verdicts import Action, Outcome
from streams.log import Output, Partition, Record
from streams.worker import Worker
from tests.streams import gating, virtual

PARTITION = Partition(work_topic("small"), 3)
LEAKED = "5500 0055 5555 5559"


def _now() -> datetime:
    return gating.NOW


async def _worker(*lines: Line, context_tokens: int = 4096, policy: Policy | None = None) -> Worker:
    args = ScriptedArgs(lines=lines, answers=("Yes, in the app.",), context_tokens=context_tokens)
    engine = ScriptedEngine(model="script", args=args)
    await engine.start()
    return Worker(
        engine,
        pool="small",
        scanners={
            "bank": Scanner(gating.SHIPPED, policy or Policy(name="default"), time.perf_counter)
        },
        seal=gating.SEAL,
        name="worker-0",
        consumer="tidegate-worker-small",
        now=_now,
    )


def _admitted(**fields: object) -> Record:
    request = gating.request(4, **fields)
    (work,) = [o for o in gating.make_gate()([request]) if o.topic == PARTITION.topic]
    return Record(PARTITION, 9, gating.NOW_MS, work.key, work.value)


def _completion(outputs: list[Output]) -> CompletionFinished:
    (event,) = gating.events(outputs)[COMPLETIONS.name]
    assert isinstance(event, CompletionFinished)
    return event


async def test_answer_carries_what_the_gate_needs() -> None:
    """The completion repeats the request's figures, key and partition, and says how it went."""
    record = _admitted(conversation_id="c1", metadata={"group": "a"})
    outputs = await (await _worker()).answer(record)
    assert (outputs[0].key, outputs[0].partition) == (b"c1", 3)
    finished = _completion(outputs)
    assert finished.text == "Yes, in the app."
    assert finished.failure is None
    assert finished.finish_reason == "stop"
    assert finished.metadata == {"group": "a"}
    assert finished.usage.completion_tokens == 4
    assert finished.timings.taken_at == gating.NOW
    assert finished.origin.offset == 4


async def test_same_record_gives_the_same_event_id() -> None:
    """An answer made again after a kill is known as the same event."""
    worker = await _worker()
    first, second = [_completion(await worker.answer(_admitted())) for _ in range(2)]
    assert first.event_id == second.event_id


async def test_values_in_the_answer_are_masked_before_it_is_written() -> None:
    """What the model gives away leaves the worker as a placeholder, with the verdict beside it."""
    worker = await _worker(Line(contains="card", answer=f"It is {LEAKED} ok"))
    outputs = await worker.answer(_admitted(prompt="Which card do I have?"))
    assert LEAKED.encode() not in (outputs[0].value or b"")
    finished = _completion(outputs)
    assert finished.text == "It is [CARD_1] ok"
    assert finished.scanned is not None
    by_guard = {verdict.guard: verdict.outcome for verdict in finished.scanned.verdicts}
    assert by_guard["pii"] is Outcome.MASK


async def test_what_the_model_gives_away_is_not_taken_for_the_customers() -> None:
    """A placeholder of the prompt is never used for a value of the answer."""
    worker = await _worker(Line(contains="CARD_1", answer=f"Not {LEAKED}"))
    finished = _completion(await worker.answer(_admitted(prompt="Is 4111 1111 1111 1111 mine?")))
    assert finished.text == "Not [CARD_2]"


async def test_a_bad_answer_is_stopped_under_way() -> None:
    """A guard that withholds ends the generation, and the completion says after how much."""
    policy = Policy(name="strict", rules={"tone": GuardRule(action=Action.WITHHOLD)})
    answer = "You are a stupid idiot. " + "And so it goes on and on. " * 40
    worker = await _worker(Line(contains="?", answer=answer), policy=policy)
    record = _admitted(sampling={"max_tokens": 400})
    finished = _completion(await worker.answer(record))
    assert finished.failure is None
    assert finished.finish_reason == "abort"
    assert finished.stopped is not None
    assert finished.stopped.guard == "tone"
    assert finished.stopped.generated_chars == len(finished.text) < 100
    assert finished.stopped.released_chars == 0
    assert 0 < finished.usage.completion_tokens < 30
    assert finished.usage.prompt_tokens > 0
    assert finished.scanned is not None
    by_guard = {verdict.guard: verdict.outcome for verdict in finished.scanned.verdicts}
    assert by_guard["tone"] is Outcome.WITHHOLD
    gate = gating.make_gate(policy)
    completed = Record(Partition(COMPLETIONS.name, 3), 1, gating.NOW_MS, b"k", encode(finished))
    (response,) = gating.events(gate([completed]))[RESPONSES.name]
    assert (response.status, response.stopped) == ("withheld", finished.stopped)


async def test_a_good_answer_is_generated_to_its_end() -> None:
    """Where a guard could stop and does not, the answer is whole."""
    policy = Policy(name="strict", rules={"tone": GuardRule(action=Action.WITHHOLD)})
    finished = _completion(await (await _worker(policy=policy)).answer(_admitted()))
    assert (finished.text, finished.stopped) == ("Yes, in the app.", None)


@pytest.mark.parametrize(
    ("line", "fields", "context_tokens", "reason"),
    [
        (None, {"prompt": "word " * 50, "sampling": {"max_tokens": 8}}, 20, "too_large"),
        (None, {"deadline_at": gating.NOW + timedelta(seconds=1)}, 4096, "deadline"),
        (Line(contains="?", error="hang"), {}, 4096, "deadline"),
    ],
)
def test_failure_is_an_outcome(
    line: Line | None, fields: dict[str, object], context_tokens: int, reason: str
) -> None:
    """A prompt that is too long, and a deadline before or during the answer, are recorded."""

    async def main() -> CompletionFinished:
        worker = await _worker(*([line] if line else []), context_tokens=context_tokens)
        record = _admitted(**fields)
        if reason == "deadline" and line is None:
            worker._now = lambda: datetime(2026, 1, 2, 12, 5, tzinfo=UTC)
        return _completion(await worker.answer(record))

    finished = virtual.run(main())
    assert finished.failure is not None
    assert finished.failure.reason is FailureReason(reason)
    assert finished.text == ""


async def test_dead_engine_is_no_outcome() -> None:
    """When the engine dies, nothing is committed: the record is answered by another process."""
    worker = await _worker(Line(contains="?", error="engine"))
    with pytest.raises(EngineUnavailable):
        await worker.answer(_admitted())


async def test_unreadable_work_is_set_aside() -> None:
    """A record that is no admitted request becomes a dead letter."""
    outputs = await (await _worker()).answer(Record(PARTITION, 1, 0, None, b"{}"))
    assert list(gating.events(outputs)) == [DEADLETTER.name]


async def test_giving_up_answers_the_request() -> None:
    """A request on which the worker itself fails is answered ``failed: crashed``."""
    worker = await _worker()
    finished = _completion(worker.give_up(_admitted(), ValueError("secret")))
    assert finished.failure is not None
    assert finished.failure.reason is FailureReason.CRASHED
    assert b"secret" not in encode(finished)


async def test_answer_is_aborted_with_its_reader() -> None:
    """Cancelling the answer frees the engine: nothing keeps playing."""
    worker = await _worker(Line(contains="?", error="hang"))
    task = asyncio.create_task(worker.answer(_admitted()))
    await asyncio.sleep(0.01)
    engine = worker._engine
    assert isinstance(engine, ScriptedEngine)
    assert engine._playing
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not engine._playing


def test_admitted_events_are_read_as_written() -> None:
    """What the gate writes is what the worker reads."""
    record = _admitted()
    event = CompletionAdmitted.model_validate_json(record.value or b"")
    assert encode(event) == record.value
