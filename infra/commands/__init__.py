"""The subcommands of ``tidegate``: each a few options over a module that does the work."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

if TYPE_CHECKING:
    from infra.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")


def with_settings(run: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Hand the settings to a subcommand; reading them is put off until it runs."""

    @functools.wraps(run)
    def with_them(*args: P.args, **kwargs: P.kwargs) -> R:
        from infra.settings_sources import load_settings

        return run(load_settings(click.get_current_context().find_root().obj), *args, **kwargs)

    return with_them
