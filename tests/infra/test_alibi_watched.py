"""What is said of texts that alibi-detect reads, and that a restart changes none of it."""

from __future__ import annotations

import orjson
import pytest

from infra.alibi.fitting import WINDOW
from infra.alibi.watched import QUIET, State, Watched, unpacked
from schemas.base import event_id
from schemas.embeddings import TextEmbedded
from schemas.topics import EMBEDDINGS
from schemas.watching import Finding
from tests.infra.alibi_stub import AT, REFERENCE, Stub, place, text


def watched(state: State | None = None) -> Watched:
    """Return the bank's prompts, watched by the stub."""
    return Watched("bank", "prompt", "mmd", REFERENCE, Stub, state or State())


def read(there: Watched, texts: list[TextEmbedded], first: int = 0) -> list[Finding]:
    """Return what is found in texts that lie one after the other."""
    found = [there.read(one, place(first + n), AT) for n, one in enumerate(texts)]
    return [one for one in found if one is not None]


def stream(many: int, moved: int = 0) -> list[TextEmbedded]:
    """Return so many usual texts, and after them so many that lie elsewhere."""
    return [text(number, moved=number >= many) for number in range(many + moved)]


def test_texts_that_lie_elsewhere_are_found() -> None:
    """The finding says where, how far, since which texts, and has the id of its record."""
    values = read(there := watched(), stream(REFERENCE + 2 * WINDOW))
    assert [one.kind for one in values] == ["value", "value"]
    assert all(0 <= one.value < (one.limit or 0) == 0.5 for one in values)
    start = REFERENCE + 2 * WINDOW
    [found] = read(there, stream(start, 20)[start:], start)
    assert (found.kind, found.monitor, found.metric) == ("detection", "alibi_mmd", "squared_mmd")
    assert (found.deployment, found.segment) == ("bank", {"direction": "prompt"})
    assert found.value > 0.5 == found.limit
    offset = found.origin.offset
    assert found.event_id == event_id(
        "finding", EMBEDDINGS.name, 0, offset, "alibi_mmd", "detection"
    )
    assert found.exemplars == tuple(f"r-{offset - back}" for back in range(5))
    assert found.cause.startswith("prompts of bank lie elsewhere than the first 60 of version v1")


def test_a_detection_is_over_after_a_quiet_time() -> None:
    """Texts as usual again end it, once."""
    there = watched()
    start = REFERENCE + WINDOW
    texts = [*stream(start, 20), *[text(n) for n in range(start + 20, start + 20 + 2 * QUIET)]]
    found = [one for one in read(there, texts) if one.kind != "value"]
    assert [one.kind for one in found] == ["detection", "recovery"]
    assert found[1].origin.offset - found[0].origin.offset == QUIET


@pytest.mark.parametrize("every", [1, 7])
def test_a_restart_changes_nothing(every: int) -> None:
    """Whatever is read again from what was kept, each finding is there, and the same."""
    start = REFERENCE + WINDOW + 9
    texts = [*stream(start, 40), *[text(n) for n in range(start + 40, start + 200)]]
    straight = read(watched(), texts)
    assert {one.kind for one in straight} == {"value", "detection"}
    state, found = State(), []
    for first in range(0, len(texts), every):
        there = watched(State(**orjson.loads(orjson.dumps(state))))
        again = max(0, first - 3)
        found += read(there, texts[again : first + every], again)
        state = there.state
    assert found == straight


def test_a_conversation_counts_once() -> None:
    """Its later texts are not read: they hang together, and detectors suppose that none do."""
    there = watched()
    read(there, [text(n, conversation=f"c-{n // 4}") for n in range(40)])
    assert len(there.state.reference) == 10


def test_a_new_version_begins_a_new_reference() -> None:
    """Requests of the old one that were under way are passed over."""
    there = watched()
    read(there, stream(REFERENCE + 5))
    start = REFERENCE + 5
    read(there, [text(start, version="v2"), text(start + 1, minute=start - 1)], start)
    assert there.state.version == "v2"
    assert len(there.state.reference) == 1
    assert there.state.texts == 0


def test_what_is_kept_is_bounded() -> None:
    """However many texts there are."""
    there = watched()
    read(there, [text(n, conversation=f"c-{n}") for n in range(REFERENCE + 1500)])
    assert len(there.state.window) == WINDOW
    assert len(there.state.conversations) == 1000
    assert len(there.state.reference) == REFERENCE


def test_vectors_of_another_width_are_refused() -> None:
    """They cannot be compared."""
    there = watched()
    read(there, stream(3))
    wider = text(3).model_copy(update={"vector": "ADwAOAA8"})
    with pytest.raises(ValueError, match="not like those before"):
        there.read(wider, place(3), AT)


@pytest.mark.parametrize("vector", ["", "AAA", "AHwAPA==", "AH4APA=="])
def test_what_is_no_vector_is_refused(vector: str) -> None:
    """Nothing, half a number, an infinite one, and one that is none."""
    with pytest.raises(ValueError, match=r"."):
        unpacked(vector)
