"""Whose word can be waited for."""

from __future__ import annotations

from monitors import MONITORS, OWN_MONITORS, PROBE_MONITORS
from schemas.plants import Plant
from schemas.probes import Probe, probes_of
from schemas.registry import Deployment, Embeddings, Pool, Registry
from schemas.watching import WHOLE_SYSTEM
from streams.speaking import speakers_of
from tests.monitors.test_stereotypes import QUESTIONS

POOL = Pool(name="small", model="m")
REGISTRY = Registry(
    deployments={
        name: Deployment(name=name, pools=(POOL,), embeddings=Embeddings())
        for name in ("bank", "shop")
    },
    policies={},
    rules={},
    versions={},
    probes={
        "names": Probe(
            name="names",
            deployment="bank",
            dimension="origin",
            every_s=60,
            templates=("Is {person} welcome?",),
            groups={"a": ("Ann",), "b": ("Bo",)},
        )
    },
    questions={"ages": QUESTIONS},
    plants={"attack": Plant(name="attack", deployment="bank", guard="injection", texts=("Hi",))},
)


def test_each_monitor_can_speak_of_something() -> None:
    """Of users, of the whole system, or of probes: none is left out, none speaks of two kinds."""
    speakers = speakers_of(REGISTRY)
    assert set(speakers) == {"bank", "shop", WHOLE_SYSTEM, probes_of("bank")}
    kinds = [set(speakers[name]) for name in ("shop", WHOLE_SYSTEM, probes_of("bank"))]
    assert set().union(*kinds) == {
        kind.name for kind in (*MONITORS, *OWN_MONITORS, *PROBE_MONITORS)
    }
    assert sum(map(len, kinds)) == len({name for kind in kinds for name in kind})
    assert speakers["bank"] == speakers["shop"]


def test_monitors_of_probes_speak_only_where_there_are_some() -> None:
    """A deployment with plants alone has no word of the monitor of probes."""
    planted = REGISTRY.model_copy(update={"probes": {}, "questions": {}})
    assert speakers_of(planted)[probes_of("bank")] == {"sensitivity"}
    assert probes_of("shop") not in speakers_of(planted)


def test_embeddings_are_spoken_of_where_there_are_some() -> None:
    """A deployment that asks for none has no word of their monitor."""
    bare = {"bank": Deployment(name="bank", pools=(POOL,))}
    speakers = speakers_of(REGISTRY.model_copy(update={"deployments": bare}))
    assert set(speakers_of(REGISTRY)["bank"]) - set(speakers["bank"]) == {"embedding_drift"}
