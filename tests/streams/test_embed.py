"""The role that embeds: masked texts of those who ask, once each, within the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from monitors.vectors import unpacked
from schemas.codec import decode, encode
from schemas.deadletters import DeadLetter, DeadLetterReason
from schemas.embeddings import TextEmbedded
from schemas.registry import Deployment, Embeddings, Pool
from schemas.requests import CompletionAdmitted, Message, ResponseReleased
from schemas.topics import DEADLETTER, EMBEDDINGS, RESPONSES, work_topic
from schemas.verdicts import Direction
from streams.embed import Embed
from streams.kafka_log import KafkaLog
from streams.log import Connection, Log, Output, Partition, Record
from streams.loop import Loop
from streams.memory_log import MemoryLog
from streams.transform import Transform
from tests.infra.events import admitted, released, unserved
from tests.streams.faust_cluster import cluster, produce, read_all, until
from tests.streams.gating import SEAL
from tests.streams.virtual import Inline, run

WORK = work_topic("small")
GROUP = "embeddings"


class Lengths:
    """Stands for a model: a text's vector is its length and 1. It fails on what it is told to."""

    def __init__(self, ill: str = "") -> None:
        self.read: list[str] = []
        self._ill = ill

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the vectors of ``texts``."""
        if self._ill and any(self._ill in text for text in texts):
            raise RuntimeError("cannot read this")
        self.read += texts
        return np.array([[len(text), 1] for text in texts], np.float32)


def step(model: Lengths, embeddings: Embeddings | None = None) -> Embed:
    """Return the step for the deployment ``support``, on topics of one partition."""
    pools = (Pool(name="small", model="m"),)
    deployment = Deployment(
        name="support", pools=pools, embeddings=embeddings or Embeddings(per_s=1000)
    )
    silent = Deployment(name="silent", pools=pools)
    return Embed(
        {"support": deployment, "silent": silent},
        partitions=1,
        embed=model,
        model="lengths",
        seal=SEAL,
        consumer=GROUP,
        clock_s=lambda: 0.0,
    )


def prompt(text: str, **fields: object) -> CompletionAdmitted:
    """Return an admitted request whose last turn is ``text``."""
    turns = [("system", "Be kind."), ("user", "Hello"), ("assistant", "Hi"), ("user", text)]
    messages = [Message.model_validate({"role": role, "content": said}) for role, said in turns]
    return admitted().model_copy(update={"messages": tuple(messages), **fields})


def answer(**fields: object) -> ResponseReleased:
    """Return an answer that was given."""
    return released().model_copy(update=fields)


def record(topic: str, event: CompletionAdmitted | ResponseReleased, offset: int = 0) -> Record:
    """Return ``event`` as it lies in ``topic``."""
    return Record(Partition(topic, 0), offset, 1000 * offset, b"k", encode(event))


def embedded(outputs: Sequence[Output]) -> list[TextEmbedded]:
    """Return the events that are written."""
    assert {output.topic for output in outputs} <= {EMBEDDINGS.name}
    return [decode(TextEmbedded, output.value) for output in outputs]


async def worked(log: Log, made: Embed, upto: int) -> None:
    """Run the role on the work topic of ``log`` until so many records are done."""
    stop = asyncio.Event()
    loop = Loop(log, group=GROUP, member="a", topics=[WORK], work=Transform(made, Inline()))
    task = asyncio.create_task(loop.run(stop, lambda: None))
    while (await log.committed(GROUP, Partition(WORK, 0))).offset < upto and not task.done():
        await asyncio.sleep(0.05)
    stop.set()
    await task


def test_prompts_and_answers_become_vectors_of_their_masked_texts() -> None:
    """Of a prompt it is the last turn of the user; of an answer what is stored, not what is given.

    Each says whose it is, what it is about, and keeps nothing of the text but its digest.
    """
    model = Lengths()
    made = step(model)
    (asked,) = embedded(made([record(WORK, prompt("My card [CARD_1] is lost"))]))
    (told,) = embedded(made([record(RESPONSES.name, answer())]))
    assert model.read == ["My card [CARD_1] is lost", released().text_masked]
    assert released().text not in model.read
    assert (asked.direction, told.direction) == (Direction.PROMPT, Direction.ANSWER)
    assert (asked.deployment, asked.deployment_version, asked.topic) == ("support", "d1", "cards")
    assert unpacked(asked.vector).tolist() == [24, 1]
    assert asked.text_sha256 == sha256(b"My card [CARD_1] is lost").hexdigest()
    assert asked.origin.topic == WORK
    assert told.conversation_id == "c-1"
    assert asked.event_id != told.event_id


def test_who_does_not_ask_gets_none() -> None:
    """Nor do answers without a text or a deployment, or records that cannot be read."""
    made = step(Lengths())
    records = [
        record(RESPONSES.name, answer(text_masked=" ")),
        record(RESPONSES.name, unserved(), 1),
        Record(Partition(RESPONSES.name, 0), 2, 0, None, b"{"),
    ]
    assert made(records) == []
    assert made([record(WORK, prompt("Hello", deployment="silent"))]) == []


def test_no_more_than_the_budget_is_embedded() -> None:
    """Half a budget of 2 a second is 10 prompts in ten seconds, each with the share in force."""
    made = step(Lengths(), Embeddings(per_s=2))
    texts = [
        Record(Partition(WORK, 0), n, n * 100, b"k", encode(prompt("a", conversation_id=f"c{n}")))
        for n in range(300)
    ]
    found = embedded(made(texts))
    assert 20 <= len(found) <= 30
    assert {one.share for one in found[10:]} == {0.1}


def test_a_text_that_the_model_cannot_read_is_set_aside_alone() -> None:
    """The record becomes a dead letter of this group, and those beside it are embedded."""

    async def main() -> MemoryLog:
        log = MemoryLog({WORK: 1, EMBEDDINGS.name: 1, DEADLETTER.name: 1})
        for number, text in enumerate(["one", "ill", "three"]):
            event = prompt(text, conversation_id=f"c{number}")
            log.append(WORK, encode(event), key=b"k")
        await worked(log, step(Lengths(ill="ill")), 3)
        return log

    log = run(main())
    assert len(log.read(EMBEDDINGS.name)) == 2
    (letter,) = [decode(DeadLetter, one.value) for one in log.read(DEADLETTER.name)]
    assert (letter.reason, letter.consumer) == (DeadLetterReason.CRASHED, GROUP)


def test_a_restart_embeds_nothing_twice_and_keeps_to_the_budget() -> None:
    """What was taken before the restart still counts against the ten seconds."""

    async def main() -> list[TextEmbedded]:
        log = MemoryLog({WORK: 1, EMBEDDINGS.name: 1})
        for _ in range(2):
            for _ in range(30):
                number = len(log.read(WORK))
                log.now_ms += 10
                log.append(WORK, encode(prompt("a", conversation_id=f"c{number}")), key=b"k")
            await worked(log, step(Lengths(), Embeddings(per_s=2)), len(log.read(WORK)))
        return [decode(TextEmbedded, one.value) for one in log.read(EMBEDDINGS.name)]

    found = run(main())
    assert len(found) == 10
    assert len({one.event_id for one in found}) == 10


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Connection]:
    """A broker of the test's own, with all topics."""
    with cluster(tmp_path) as connection:
        yield connection


@pytest.mark.kafka
@pytest.mark.slow
async def test_on_kafka_each_text_is_embedded_once(broker: Connection) -> None:
    """Aborted writes are not seen, and a second run finds nothing left to do."""
    served = answer().served
    assert served is not None
    records = []
    for n in range(20):
        mine = served.model_copy(update={"request_id": f"r{n}"})
        records.append((RESPONSES.name, b"c%d" % n, encode(answer(served=mine))))
    await produce(broker, records[:7], aborted=True)
    await produce(broker, records)

    async def complete() -> bool:
        return len(await read_all(broker, EMBEDDINGS.name)) >= len(records)

    for _ in range(2):
        stop = asyncio.Event()
        work = Transform(step(Lengths()), Inline())
        loop = Loop(KafkaLog(broker), group=GROUP, member="a", topics=[RESPONSES.name], work=work)
        task = asyncio.create_task(loop.run(stop, lambda: None))
        await until(complete)
        stop.set()
        await task
    found = await read_all(broker, EMBEDDINGS.name)
    asked = [decode(TextEmbedded, one.value).request_id for one in found]
    assert sorted(asked) == sorted(f"r{n}" for n in range(len(records)))
