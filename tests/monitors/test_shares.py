"""Shares of labels: newcomers, and many at once."""

from __future__ import annotations

from monitors.shares import LABELS_MAX, RARE, Shares
from tests.monitors.observations import NOON


def test_a_label_that_was_not_there_was_at_zero() -> None:
    """A newcomer is followed from its first item on, against no share at all."""
    shares = Shares(warmup=200)
    for number in range(200):
        shares.observe({"a"}, NOON, f"r{number}")
    changed = [
        label
        for number in range(20)
        for label, shift in shares.observe({"b"}, NOON, f"s{number}")
        if shift.kind == "detection"
    ]
    assert changed == ["b"]
    assert shares.rates["b"].baseline == 0
    assert not shares.usual


def test_many_small_newcomers_are_one_large_change() -> None:
    """Labels that hardly occurred count together when none of them would by itself."""
    shares = Shares(warmup=200, dependence=2.0, rare_share=0.03)
    for number in range(200):
        shares.observe({"a"}, NOON, f"r{number}")
    changed = [
        label
        for number in range(40)
        for label, shift in shares.observe({f"new{number % 20}"}, NOON, f"s{number}")
        if shift.kind == "detection"
    ]
    assert changed == [RARE]


def test_labels_are_bounded() -> None:
    """However many labels there are, only so many are told apart."""
    shares = Shares(warmup=10)
    for number in range(1000):
        shares.observe({f"label{number}"}, NOON, f"r{number}")
    assert len(shares.rates) <= LABELS_MAX + 1
