"""What the tests of engines share."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from inference.engine import Engine, Generation, Summary
from inference.offline import be_discreet
from schemas.registry import Pool
from schemas.requests import Message, Sampling

# Model libraries read the environment when they are first imported, which may be in any test.
be_discreet(os.environ)

SMALL = "tidegate-bank-2m"


def asked(text: str, *, request_id: str = "r1", **sampling: object) -> Generation:
    """Return a generation that answers ``text``."""
    return Generation(
        request_id=request_id,
        messages=(Message(role="user", content=text),),
        sampling=Sampling.model_validate({"max_tokens": 16, **sampling}),
    )


async def answered(engine: Engine, generation: Generation) -> tuple[str, Summary]:
    """Return the whole answer of ``engine`` and its summary, which must be the last chunk's."""
    text = ""
    summaries: list[Summary] = []
    async with aclosing(engine.generate(generation)) as chunks:  # type: ignore[type-var]
        async for chunk in chunks:
            assert not summaries, "nothing comes after the summary"
            text += chunk.text
            if chunk.summary:
                summaries.append(chunk.summary)
    return text, summaries[0]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an empty cache."""
    return tmp_path_factory.mktemp("cache")


PoolOf = Callable[..., Pool]


@pytest.fixture(scope="session")
def pool_of() -> PoolOf:
    """Return what makes pools of the smallest model."""

    def make(engine: str, **engine_args: object) -> Pool:
        return Pool.model_validate(
            {"name": "small", "engine": engine, "model": SMALL, "engine_args": engine_args}
        )

    return make
