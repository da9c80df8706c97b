"""The roles: what each process of the system runs, by settings and registry."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from infra.settings import Settings
from schemas.errors import ConfigError

ROLES = ("gate", "worker", "sink", "monitors", "alerts")


def run_role(role: str, settings: Settings, pool: str | None, ready: Callable[[], None]) -> None:
    """Run one role in this process until SIGTERM.

    Args:
        role: One of :data:`ROLES`.
        settings: All of them.
        pool: Whose requests a worker answers; None for every other role.
        ready: To be called once the role serves.

    Raises:
        ConfigError: If the role cannot run with these settings.
    """
    try:
        module = importlib.import_module(f"infra.role_{role}")
    except ModuleNotFoundError as error:
        raise ConfigError(f"the role {role} is not part of this installation") from error
    module.run(settings, pool, ready)
