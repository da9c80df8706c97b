"""What the roles are made of."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from pydantic import SecretStr

import infra.embedding
from infra.roles import build_gate
from infra.settings import Seal, Settings
from schemas.registry import Deployment, Policy, Pool, Registry


@pytest.mark.parametrize(("guards", "loads"), [(("pii",), False), (("pii", "harm"), True)])
def test_a_gate_loads_what_its_guards_need_before_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guards: tuple[str, ...], loads: bool
) -> None:
    """A language model where a policy lists a guard that reads with one, and only there."""
    read: list[str] = []

    def embedded(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        read.extend(texts)
        return np.zeros((len(texts), 384), np.float32)

    monkeypatch.setattr(infra.embedding, "embedded", embedded)
    settings = Settings(
        data=tmp_path, seal=Seal(key=SecretStr(base64.b64encode(bytes(32)).decode()))
    )
    deployment = Deployment(name="bank", policy="p", pools=(Pool(name="small", model="none"),))
    registry = Registry(
        deployments={"bank": deployment},
        policies={"p": Policy(name="p", guards=guards)},
        rules={},
        versions={"deployments/bank": "d1", "policies/p": "p1"},
    )
    build_gate(settings, registry)
    assert bool(read) is loads
