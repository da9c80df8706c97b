"""Guards that judge an answer beside its request: what they need travels, where they are needed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from inference.scripted import Line, ScriptedArgs, ScriptedEngine
from monitors.groundedness import Groundedness
from monitors.guard import Guard
from monitors.scanning import Scanner
from schemas.registry import GuardRule, Policy
from schemas.requests import Asked, CompletionFinished, Message, ResponseStatus
from schemas.topics import COMPLETIONS, RESPONSES, VERDICTS, work_topic
from schemas.verdicts import Action, Outcome
from streams.log import Partition, Record
from streams.worker import Worker
from tests.streams import gating

PASSAGE = "The Aurora account costs £4.50 a month."


def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the same vector for all texts."""
    return np.full((len(texts), 4), 0.5, np.float32)


GUARDS: list[Guard] = [*gating.SHIPPED, Groundedness(embed)]
LISTED = Policy(name="grounded", rules={"groundedness": GuardRule(action=Action.WITHHOLD)})


async def finished(policy: Policy) -> CompletionFinished:
    """Return what a worker makes of a request with a passage."""
    line = Line(contains="cost", answer="It costs £4.50 a month.")
    engine = ScriptedEngine(model="script", args=ScriptedArgs(lines=(line,), answers=("No.",)))
    await engine.start()
    worker = Worker(
        engine,
        pool="small",
        scanners={"bank": Scanner(GUARDS, policy, time.perf_counter)},
        seal=gating.SEAL,
        name="worker-0",
        consumer="tidegate-worker-small",
        now=lambda: gating.NOW,
    )
    request = gating.request(4, prompt="What does it cost?", passages=[PASSAGE])
    topic = work_topic("small")
    (work,) = [o for o in gating.make_gate()([request]) if o.topic == topic]
    outputs = await worker.answer(
        Record(Partition(topic, 3), 9, gating.NOW_MS, work.key, work.value)
    )
    (event,) = gating.events(outputs)[COMPLETIONS.name]
    assert isinstance(event, CompletionFinished)
    return event


async def test_what_was_asked_rides_along_only_where_a_guard_reads_it() -> None:
    """A completion is as small as before under a policy that lists no such guard."""
    asked = (await finished(LISTED)).asked
    assert asked is not None
    assert (asked.messages[-1].content, asked.passages) == ("What does it cost?", (PASSAGE,))
    assert (await finished(Policy(name="default"))).asked is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ("It costs £4.50 a month.", ResponseStatus.RELEASED),
        ("It costs £9 a month.", ResponseStatus.WITHHELD),
    ],
)
def test_the_gate_holds_the_answer_against_the_passages(
    answer: str, status: ResponseStatus
) -> None:
    """A price that no passage has is withheld where the policy says so."""
    asked = Asked(
        messages=(Message(role="user", content="What does it cost?"),), passages=(PASSAGE,)
    )
    gate = gating.make_gate(LISTED, GUARDS)
    found = gating.events(gate([gating.completion(text=answer, asked=asked)]))
    assert found[RESPONSES.name][0].status is status


async def test_a_language_model_masks_in_the_gate() -> None:
    """The worker, whose loop it would hold up, leaves the answer as it is; the client gets less."""
    masks = Policy(name="grounded", rules={"groundedness": GuardRule(action=Action.MASK)})
    assert (await finished(masks)).text == "It costs £4.50 a month."
    asked = Asked(
        messages=(Message(role="user", content="What does it cost?"),), passages=(PASSAGE,)
    )
    gate = gating.make_gate(masks, GUARDS)
    text = "It costs £9 a month."
    (response,) = gating.events(gate([gating.completion(text=text, asked=asked)]))[RESPONSES.name]
    assert response.status is ResponseStatus.MASKED
    assert response.text == response.text_masked
    assert "£9" not in response.text


def test_an_answer_of_which_nothing_is_known_is_not_passed_as_grounded() -> None:
    """A worker that started under another policy sends no context, and the verdict says so."""
    gate = gating.make_gate(LISTED, GUARDS)
    (event,) = gating.events(gate([gating.completion()]))[VERDICTS.name]
    (verdict,) = [v for v in event.verdicts if v.guard == "groundedness"]
    assert (verdict.outcome, verdict.reason) == (Outcome.NOT_SCANNED, "no_context")
