"""The registry folder as ``up`` finds or makes it: the shipped defaults, or one's own model."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from schemas.errors import ConfigError

DEFAULTS = Path(__file__).with_name("registry_defaults")
_DEFAULT = Path("deployments") / "default.yaml"
_OWN = """\
# One model of your own, served under the name that requests use when they name none.
name: default
policy: default
pools:
  - name: {name}
    engine: vllm
    model: {model}
"""


def write_defaults(registry: Path) -> bool:
    """Write the shipped registry, unless the folder holds deployments already.

    Returns:
        Whether it was written.

    Raises:
        ConfigError: If the folder cannot be written.
    """
    if any((registry / "deployments").glob("*.yaml")):
        return False
    _write(registry, _shipped())
    return True


def serve_model(registry: Path, model: Path) -> None:
    """Make the registry serve one model of the user's own and nothing else.

    Only a registry that is as we wrote it is changed; what people wrote is theirs.

    Raises:
        ConfigError: If ``model`` is no folder of a model, or the registry has been edited.
    """
    model = model.expanduser().absolute()
    if not (model / "config.json").is_file():
        raise ConfigError("holds no model: there is no config.json in it", file=str(model))
    shipped = _shipped()
    for path in sorted((registry / "deployments").glob("*.yaml")):
        text = path.read_text()
        if text != shipped.get(path.relative_to(registry)) and not _is_ours(text):
            raise ConfigError(
                f"is not as Tidegate wrote it; put `model: {model}` into it yourself",
                file=str(path),
            )
    missing = {}
    for path, text in shipped.items():
        if path.parent == _DEFAULT.parent:
            (registry / path).unlink(missing_ok=True)
        elif not (registry / path).exists():
            missing[path] = text
    _write(registry, missing | {_DEFAULT: _own(model)})


def _shipped() -> dict[Path, str]:
    return {path.relative_to(DEFAULTS): path.read_text() for path in DEFAULTS.rglob("*.yaml")}


def _own(model: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", model.name).strip("-._").lower() or "own"
    return _OWN.format(name=name, model=yaml.safe_dump(str(model)).splitlines()[0])


def _is_ours(text: str) -> bool:
    """Return whether :func:`serve_model` wrote ``text``, for whichever model."""
    try:
        content = yaml.safe_load(text)
        return bool(text == _own(Path(content["pools"][0]["model"])))
    except (yaml.YAMLError, LookupError, TypeError):
        return False


def _write(registry: Path, files: dict[Path, str]) -> None:
    try:
        for path, text in files.items():
            (registry / path).parent.mkdir(parents=True, exist_ok=True)
            (registry / path).write_text(text)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=str(registry)) from error
