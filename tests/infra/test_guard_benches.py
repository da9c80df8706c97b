"""The benches of guards, small: that they measure what they say."""

from __future__ import annotations

from infra.bench.guards import PROMPT_CHARS, bench_guards
from infra.bench.streaming import bench_streaming


def test_what_is_planted_is_stopped_before_it_is_seen() -> None:
    """Every planted sentence ends its answer, and a reader who follows sees none of it."""
    found = bench_streaming(cases=90)
    assert found.stopped == found.cases == 90
    assert found.planted_chars_seen.maximum == 0
    assert found.benign_stopped == 0
    assert found.released_chars.median < found.at_end_chars.median
    assert found.at_end_planted_chars_seen.maximum > 0


def test_every_guard_on_prompts_is_timed() -> None:
    """The whole set and each class have both quantiles, alone and in batches."""
    found = bench_guards(prompts=100)
    assert found.prompt_chars == PROMPT_CHARS
    assert {"pii", "injection"} <= set(found.whole.guards)
    for latency in (found.whole, found.whole_telling, *found.by_cost.values()):
        for batch in (latency.batch_1, latency.batch_32):
            assert 0 < batch["p50_ms"].value <= batch["p99_ms"].value
