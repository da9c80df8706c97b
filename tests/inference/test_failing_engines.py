"""Real engines that do not come up, or die."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import psutil
import pytest

from inference.build import build_engine
from inference.models import bank_folder
from schemas.errors import ConfigError, EngineUnavailable
from schemas.registry import Pool
from tests.inference.conftest import PoolOf, answered, asked

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def wrong_model(tmp_path: Path) -> Path:
    """Return a folder that looks like a model, of an architecture that does not exist."""
    folder = tmp_path / "wrong"
    shutil.copytree(bank_folder(tmp_path), folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "nonesuch", "architectures": ["NonesuchForCausalLM"]}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("name", ["transformers", pytest.param("vllm", marks=pytest.mark.slow)])
async def test_a_model_nobody_knows_is_refused(
    wrong_model: Path, tmp_path: Path, name: str
) -> None:
    """An operator is told, instead of a worker being restarted for ever."""
    pool = Pool.model_validate({"name": "p", "engine": name, "model": str(wrong_model)})
    engine = build_engine(pool, cache=tmp_path)
    with pytest.raises(ConfigError):
        await engine.start()
    with pytest.raises(EngineUnavailable):
        await answered(engine, asked("hello"))


@pytest.mark.slow
async def test_an_unknown_vllm_argument_is_named(pool_of: PoolOf, tmp_path: Path) -> None:
    """A slip in an argument is told by its key before anything is loaded."""
    engine = build_engine(pool_of("vllm", max_modell_len=10), cache=tmp_path)
    with pytest.raises(ConfigError, match=r"engine_args\.max_modell_len"):
        await engine.start()


async def test_a_failing_first_answer_is_no_start(
    pool_of: PoolOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that runs out of memory at its first answer does not count as started."""

    def fail(*_args: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr("inference.decoding.decode", fail)
    engine = build_engine(pool_of("transformers", threads=1), cache=tmp_path)
    with pytest.raises(EngineUnavailable):
        await engine.start()
    await engine.stop()


@pytest.mark.slow
async def test_a_killed_engine_process_ends_every_request(pool_of: PoolOf, tmp_path: Path) -> None:
    """When vLLM's process is killed, requests in flight and later ones get EngineUnavailable."""
    engine = build_engine(
        pool_of("vllm", max_model_len=512, kv_cache_memory_bytes=64 << 20), cache=tmp_path
    )
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    await engine.start()
    children = psutil.Process().children(recursive=True)
    flights = [
        asyncio.create_task(answered(engine, asked(f"question {n}", max_tokens=400)))
        for n in range(4)
    ]
    await asyncio.sleep(0)
    for child in children:
        if child.pid not in before and child.is_running():
            child.kill()
    for ending in await asyncio.gather(*flights, return_exceptions=True):
        assert isinstance(ending, EngineUnavailable)
    with pytest.raises(EngineUnavailable):
        await answered(engine, asked("one more"))
    await engine.stop()
