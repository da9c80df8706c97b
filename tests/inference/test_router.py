"""The router: small and large pool, the share it keeps, and that it remembers nothing."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.bank import elsewhere, questions
from inference.bank.topic import OTHER
from inference.bank_score import Rate
from inference.features import READ_CHARS, features
from inference.router import Router
from inference.router_model import load_router, save_router, shipped_router
from schemas.registry import Deployment

EASY = "What is my PIN?"
HARD = "Explain the difference between a direct debit and a standing order, step by step."


def deployment(large_share: float = 0.2, pools: int = 2) -> Deployment:
    """Return a deployment with pools p0, p1, ..."""
    return Deployment.model_validate(
        {
            "name": "bank",
            "pools": [{"name": f"p{n}", "model": "any"} for n in range(pools)],
            "routing": {"large_share": large_share},
        }
    )


def test_easy_stays_and_hard_goes() -> None:
    """A fact comes from the small pool, an explanation from the large one."""
    router = Router(deployment(large_share=1.0))
    assert (router.route(EASY).pool, router.route(EASY).topic) == ("p0", "pin")
    assert (router.route(HARD).pool, router.route(HARD).topic) == ("p1", "direct_debit")
    assert router.route(EASY).difficulty < 0.5 < router.route(HARD).difficulty


def test_unknown_topic_is_other() -> None:
    """What is none of the bank's business is said to be so."""
    assert Router(deployment()).route("Recommend some jazz for a quiet evening.").topic == OTHER


def test_one_pool_gets_everything() -> None:
    """Without a choice there is no routing, but topic and difficulty are still told."""
    route = Router(deployment(pools=1)).route(HARD)
    assert (route.pool, route.topic, route.reason) == ("p0", "direct_debit", "the only pool")


@pytest.mark.parametrize("large_share", [0.0, 0.05, 0.1, 0.2])
def test_share_beyond_the_first_pool_is_kept(large_share: float) -> None:
    """On the demo's traffic, whose wordings the model never saw, the share is not exceeded."""
    router = Router(deployment(large_share))
    routes = [router.route(question.text) for question in islice(questions(11), 3000)]
    large = sum(route.pool == "p1" for route in routes)
    assert large / 3000 <= large_share
    assert large > 0 or large_share == 0


@pytest.mark.parametrize("large_share", [0.05, 0.2])
def test_share_is_kept_when_the_topic_shifts(large_share: float) -> None:
    """Texts that the model knows nothing about do not flood the large pool either."""
    router = Router(deployment(large_share))
    routes = [router.route(question.text) for question in islice(elsewhere(11), 2000)]
    assert sum(route.pool == "p1" for route in routes) / 2000 <= large_share


def test_held_out_topics_and_difficulties_are_right() -> None:
    """On wordings it never saw the router is right in nine of ten topics, and more difficulties."""
    router = Router(deployment())
    asked = list(islice(questions(12), 2000))
    routes = [router.route(question.text) for question in asked]
    topics = sum(r.topic == q.topic for r, q in zip(routes, asked, strict=True))
    levels = sum(
        (r.difficulty >= 0.5) == (q.difficulty == "hard")
        for r, q in zip(routes, asked, strict=True)
    )
    assert Rate(topics, 2000).interval[0] > 0.9
    assert Rate(levels, 2000).interval[0] > 0.95


def test_a_topic_shift_shows_in_the_topics() -> None:
    """Few bank questions are of unknown topic, and most of what the demo shifts to are."""
    router = Router(deployment())
    bank = [router.route(q.text).topic for q in islice(questions(13), 1000)]
    shifted = [router.route(q.text).topic for q in islice(elsewhere(13), 1000)]
    assert bank.count(OTHER) / 1000 < 0.1
    assert shifted.count(OTHER) / 1000 > 0.6


@given(st.text())
def test_any_text_has_a_route_and_always_the_same(text: str) -> None:
    """A redelivered request takes the way it took, whatever is in it."""
    first = Router(deployment()).route(text)
    assert first.pool in ("p0", "p1")
    assert Router(deployment()).route(text) == first


def test_hard_texts_are_spread_over_larger_pools() -> None:
    """With three pools the hardest go to the last."""
    router = Router(deployment(large_share=1.0, pools=3))
    asked = [q.text for q in islice(questions(14, hard_rate=1.0), 500)]
    routes = [router.route(text) for text in asked]
    hard = {pool: [r.difficulty for r in routes if r.pool == pool] for pool in ("p1", "p2")}
    known = [r for r in routes if r.topic != OTHER and r.pool != "p0"]
    assert all(hard.values())
    assert max(r.difficulty for r in known if r.pool == "p1") <= min(
        r.difficulty for r in known if r.pool == "p2"
    )


def test_only_the_end_of_a_long_text_is_read() -> None:
    """The time a text takes is bounded, and what was asked last decides."""
    long = "word " * 100_000 + HARD
    assert features(long) == features(long[-READ_CHARS:])
    assert features(long) != features(long[:-READ_CHARS])


def test_a_saved_model_reads_the_same(tmp_path: object) -> None:
    """What is written to a file and read back routes as before."""
    model = shipped_router()
    save_router(model, tmp_path)  # type: ignore[arg-type]
    again = load_router(tmp_path)  # type: ignore[arg-type]
    for question in islice(questions(15), 100):
        assert again.read(question.text) == model.read(question.text)
