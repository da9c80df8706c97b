"""The bench of all patterns."""

from __future__ import annotations

import pytest

from infra.bench.patterns import bench_patterns


@pytest.mark.slow
def test_all_patterns_are_measured() -> None:
    """There are more than two hundred of them, and whoever looks finds the same."""
    result = bench_patterns(texts=400, repetitions=2)
    assert result.patterns == sum(result.by_guard.values()) > 200
    assert result.matches > 0
    assert (result.unlike_re, result.unlike_re2 or 0) == (0, 0)
    assert result.left_out == ()
