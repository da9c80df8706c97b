"""Personal data stays on the request topic and in the answers to its own request."""

from __future__ import annotations

import pytest

from infra.eval.leaks import evaluate
from tests.embedded import CACHE

pytestmark = [pytest.mark.system, pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]


def test_nothing_planted_is_found_elsewhere() -> None:
    """Of three hundred requests, no value with a form of its own is in a topic, table or log."""
    found = evaluate(CACHE, 300, seed=7)
    assert found["occurrences"] == 0, found["leaks"]
    assert found["n"] == 300
    assert found["answers_restored"] == found["answered"] >= 295  # a guard may block some
    assert {"llm.work.small.v1", "llm.completions.v1", "table requests", "logs"} <= set(
        found["searched"]
    )
