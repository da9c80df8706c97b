"""From the name of a model to the folder it lies in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from inference.smollm2 import smollm2_folder
from schemas.errors import ConfigError, EngineUnavailable

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "*.tiktoken"]


def bank_folder(_cache: Path) -> Path:
    """Return where the bank model lies in the package."""
    return Path(str(files("inference").joinpath("weights", "tidegate-bank-2m")))


SHIPPED: dict[str, Callable[[Path], Path]] = {
    "tidegate-bank-2m": bank_folder,
    "smollm2-135m": smollm2_folder,
}


def resolve_model(model: str, *, cache: Path, hub: bool = False) -> Path:
    """Return the folder of ``model``, made or fetched if need be.

    Args:
        model: The name of a model that ships with Tidegate, a folder, or a hub id.
        cache: Where models that are made or fetched are kept.
        hub: Whether models may be fetched from a hub.

    Raises:
        ConfigError: If there is no such model, or its folder holds none.
        EngineUnavailable: If the hub does not answer.
    """
    if model in SHIPPED:
        return SHIPPED[model](cache)
    folder = Path(model).expanduser()
    if folder.is_dir():
        return check_folder(folder)
    if not _HUB_ID.fullmatch(model) or folder.is_absolute():
        shipped = ", ".join(sorted(SHIPPED))
        raise ConfigError(
            f"no model {model!r}: it is neither a folder nor one of {shipped}", key="model"
        )
    if not hub:
        raise ConfigError(
            f"no folder {model!r}, and models are not fetched from a hub unless that is allowed",
            key="model",
        )
    return check_folder(_fetched(model, cache))


def check_folder(folder: Path) -> Path:
    """Return ``folder`` if it looks like a model's.

    Raises:
        ConfigError: If it lacks its config, its weights or its tokenizer.
    """
    config = folder / "config.json"
    try:
        json.loads(config.read_text())
    except OSError as error:
        raise ConfigError("holds no config.json, so it is no model", file=str(folder)) from error
    except ValueError as error:
        raise ConfigError("is no JSON", file=str(config)) from error
    for what, patterns in {
        "weights (*.safetensors)": ("*.safetensors", "*.bin"),
        "tokenizer": ("tokenizer*", "vocab*", "*.model"),
    }.items():
        if not any(next(folder.glob(pattern), None) for pattern in patterns):
            raise ConfigError(f"holds no {what}", file=str(folder))
    return folder


def _fetched(model: str, cache: Path) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        return Path(snapshot_download(model, cache_dir=cache / "hub", allow_patterns=_HUB_FILES))
    except RepositoryNotFoundError as error:
        raise ConfigError(f"the hub has no model {model!r}", key="model") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise EngineUnavailable(f"the hub does not give {model!r}: {error}") from error
