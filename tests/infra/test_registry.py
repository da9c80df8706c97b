"""The registry folder: the shipped defaults, and one's own model."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.registry import DEFAULTS, serve_model, write_defaults
from infra.roles import checked_registry
from schemas.errors import ConfigError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a model."""
    folder = tmp_path / "My Model-1B"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


def test_the_shipped_registry_is_valid() -> None:
    """The defaults load, name only guards that exist, and serve both deployments."""
    registry = checked_registry(DEFAULTS)
    assert set(registry.deployments) == {"default", "bank"}
    assert [pool.name for pool in registry.deployments["bank"].pools] == ["small", "large"]
    assert registry.policies["default"].guards == "all"
    assert registry.rules["default"].findings == "all"


def test_defaults_are_written_once(tmp_path: Path) -> None:
    """A registry that holds a deployment is left as it is."""
    registry = tmp_path / "registry"
    assert write_defaults(registry)
    path = registry / "deployments" / "default.yaml"
    path.write_text(path.read_text() + "# mine\n")
    assert not write_defaults(registry)
    assert path.read_text().endswith("# mine\n")


def test_a_model_of_ones_own_is_all_that_is_served(tmp_path: Path, model: Path) -> None:
    """The model stands in the registry, under the name that requests use by default."""
    registry = tmp_path / "registry"
    write_defaults(registry)
    serve_model(registry, model)
    loaded = checked_registry(registry)
    assert list(loaded.deployments) == ["default"]
    (pool,) = loaded.pools().values()
    assert (pool.name, pool.model) == ("my-model-1b", str(model))


def test_another_model_takes_its_place(tmp_path: Path, model: Path) -> None:
    """What we wrote for one model is replaced by what we write for the next."""
    other = tmp_path / "other: model"
    other.mkdir()
    (other / "config.json").write_text("{}")
    registry = tmp_path / "registry"
    serve_model(registry, other)
    serve_model(registry, model)
    assert [pool.model for pool in checked_registry(registry).pools().values()] == [str(model)]


def test_what_people_wrote_is_theirs(tmp_path: Path, model: Path) -> None:
    """An edited deployment is not overwritten; the sentence says what to write into it."""
    registry = tmp_path / "registry"
    write_defaults(registry)
    path = registry / "deployments" / "bank.yaml"
    path.write_text(path.read_text().replace("0.1", "0.3"))
    with pytest.raises(ConfigError, match=f"bank.yaml: is not as Tidegate wrote it.*{model}"):
        serve_model(registry, model)
    assert "0.3" in path.read_text()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    """A folder that holds no model is named before anything is written."""
    with pytest.raises(ConfigError, match="holds no model"):
        serve_model(tmp_path / "registry", tmp_path)
    assert not (tmp_path / "registry").exists()
