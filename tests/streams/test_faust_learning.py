"""What monitors learn, on a real broker: stored once, found again after a kill, reset by a word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from infra.registry import write_defaults
from infra.resets import reset_reference
from infra.settings import Settings
from monitors.vectors import packed
from schemas.codec import decode, encode
from schemas.embeddings import TextEmbedded
from schemas.errors import ConfigError
from schemas.topics import EMBEDDINGS, FINDINGS
from schemas.watching import Finding
from streams.faust_roles import Snapshots
from streams.log import Connection
from streams.monitors_app import GROUP, TABLE
from streams.saying import say
from tests.infra.events import embedded, reset
from tests.monitors.drift.places import TOPICS, texts, usual
from tests.streams.faust_cluster import cluster, produce, read_all, until
from tests.streams.faust_process import member

WARMUP = 120


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Connection]:
    """A broker of the test's own, with all topics."""
    with cluster(tmp_path) as connection:
        yield connection


async def embed(broker: Connection, topics: npt.NDArray[np.intp], seed: int) -> None:
    """Write texts about topics of these numbers, each of a conversation of its own."""
    records = []
    for number, (topic, vector) in enumerate(
        zip(topics.tolist(), texts(topics, seed), strict=True)
    ):
        name = f"{seed}-{number}"
        changed = {"request_id": name, "conversation_id": name, "topic": f"t{topic}"}
        event: TextEmbedded = embedded().model_copy(update={**changed, "vector": packed(vector)})
        records.append((EMBEDDINGS.name, b"support", encode(event)))
    await produce(broker, records)


async def said(broker: Connection, metric: str, kind: str = "value") -> list[Finding]:
    """Return what was found of a metric, each finding once; repeats must not differ."""
    found: defaultdict[str, set[bytes]] = defaultdict(set)
    for record in await read_all(broker, FINDINGS.name):
        finding = decode(Finding, record.value)
        if (finding.metric, finding.kind) == (metric, kind):
            found[str(finding.event_id)].add(record.value)
    assert all(len(versions) == 1 for versions in found.values())
    return [decode(Finding, versions.pop()) for versions in found.values()]


async def parts(broker: Connection) -> set[str]:
    """Return the names of what is stored as learned."""
    stands: dict[bytes, bool] = {}
    for record in await read_all(broker, Snapshots.topic(GROUP, TABLE)):
        stands[record.key] = bool(record.value)
    return {key.decode().partition("\n")[2] for key, there in stands.items() if there} - {""}


@pytest.mark.kafka
@pytest.mark.slow
async def test_what_was_learned_outlives_a_kill_and_ends_with_a_reset(
    broker: Connection, tmp_path: Path
) -> None:
    """Killed while it learns and after: one reference, drift told against it, then the next."""
    with member("monitors", broker, tmp_path, option="embedded") as monitors:
        monitors.wait_ready()
        await embed(broker, usual(WARMUP // 2, 1), 1)

        async def half_learned() -> bool:
            return len(await parts(broker)) == WARMUP // 2 // 4

        await until(half_learned)
        monitors.kill_and_restart()
        await embed(broker, usual(WARMUP // 2, 2), 2)

        async def learned() -> bool:
            return await parts(broker) == {"embedding_drift-1/prompt_embedding/1/reference"}

        await until(learned)
        monitors.kill_and_restart()
        await embed(broker, usual(60, 3) + TOPICS, 3)

        async def detected() -> bool:
            return bool(await said(broker, "embedding_drift", "detection"))

        await until(detected)
        await say(broker, "support", reset().model_copy(update={"series": None}))

        async def forgotten() -> bool:
            return bool(await said(broker, "reference_ended")) and not await parts(broker)

        await until(forgotten)
        await embed(broker, usual(WARMUP, 4), 4)

        async def learned_anew() -> bool:
            return await parts(broker) == {"embedding_drift-1/prompt_embedding/2/reference"}

        await until(learned_anew)
        assert monitors.stop() == 0
    references = await said(broker, "reference")
    assert sorted(one.value for one in references) == [1, 2]
    assert "because: reset by eve: a new season" in max(references, key=lambda f: f.value).cause
    (told,) = await said(broker, "embedding_drift", "detection")
    assert all(request.startswith("3-") for request in told.exemplars)
    assert len(await said(broker, "embedding_drift", "recovery")) == 1


@pytest.mark.parametrize(
    ("deployment", "series", "refused"),
    [("banc", None, "no deployment 'banc'"), ("bank", "topics", "no series 'topics'")],
)
async def test_what_is_not_there_cannot_be_reset(
    tmp_path: Path, deployment: str, series: str | None, refused: str
) -> None:
    """The names there are stand in the sentence, and nothing is written."""
    write_defaults(tmp_path / "registry")
    settings = Settings(data=tmp_path / "data", registry=tmp_path / "registry")
    with pytest.raises(ConfigError, match=refused):
        await reset_reference(settings, deployment, series, "eve", "a new season")
