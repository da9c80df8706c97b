"""The bench of all patterns."""

from __future__ import annotations

import pytest

from infra.bench.patterns import bench_patterns


@pytest.mark.slow
def test_all_patterns_are_measured() -> None:
    """There are more than two hundred of them, and one pass beats one by one many times over."""
    result = bench_patterns(texts=400, repetitions=2)
    assert result.patterns == sum(result.by_guard.values()) > 200
    assert result.ours.mean > 10 * result.re_each.mean
    assert result.left_out == ()
