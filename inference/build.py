"""From a pool, as people write it, to its engine."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from inference.engine import Engine
from inference.models import resolve_model
from inference.scripted import ScriptedArgs, ScriptedEngine
from schemas.errors import ConfigError
from schemas.registry import Pool
from schemas.written import Written

A = TypeVar("A", bound=Written)


def build_engine(pool: Pool, *, cache: Path, hub: bool = False) -> Engine:
    """Return the engine of ``pool``, not started; its model is made or fetched if need be.

    Args:
        pool: What to serve.
        cache: Where converted and fetched models are kept.
        hub: Whether models may be fetched from a hub.

    Raises:
        ConfigError: If there is no such model, or naming the argument that is wrong.
        EngineUnavailable: If the hub does not answer.
    """
    if pool.engine == "scripted":
        return ScriptedEngine(model=pool.model, args=checked(ScriptedArgs, pool))
    if pool.engine == "transformers":
        from inference.transformers_engine import TransformersArgs, TransformersEngine

        args = checked(TransformersArgs, pool)
        folder = resolve_model(pool.model, cache=cache, hub=hub)
        return TransformersEngine(model=pool.model, folder=folder, args=args)
    from inference.vllm_engine import VllmEngine

    return VllmEngine(
        model=pool.model,
        folder=resolve_model(pool.model, cache=cache, hub=hub),
        args=pool.engine_args,
        max_in_flight=pool.max_in_flight,
    )


def checked(model: type[A], pool: Pool) -> A:
    """Return the ``engine_args`` of ``pool`` as ``model``.

    Raises:
        ConfigError: Naming the first argument that is wrong.
    """
    try:
        return model.model_validate(pool.engine_args)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(["engine_args", *(str(part) for part in first["loc"])])
        raise ConfigError(f"pool {pool.name!r}: {first['msg']}", key=key) from error
