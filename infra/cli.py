"""The command ``tidegate``: one small module a subcommand, loaded when it is asked for."""

from __future__ import annotations

import importlib
import logging
import sys
from pathlib import Path

import click

from inference.orphans import end_spawned_with_parent

COMMANDS = (
    "up",
    "down",
    "status",
    "doctor",
    "demo",
    "send",
    "alerts",
    "drift",
    "trace",
    "sql",
    "report",
    "view",
    "run",
    "topics",
    "registry",
    "train",
    "bench",
    "eval",
    "torture",
    "spec",
)
_CONFIGURATION = 2


class _Commands(click.Group):
    """Finds a subcommand in the module of :mod:`infra.commands` that is called like it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"infra.commands.{cmd_name}").command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Settings file; ./tidegate.toml if there is one.",
)
@click.version_option(package_name="tidegate")
@click.pass_context
def tidegate(ctx: click.Context, config: Path | None) -> None:
    """Watch language models at work.

    Exit codes: 0 done, 1 the check failed, 2 configuration.
    """
    ctx.obj = config
    # Libraries' warnings would stand between what a command prints; `run` sets up a log.
    logging.getLogger().addHandler(logging.NullHandler())


def main() -> None:
    """Run the command line; what an operator must mend is said in one sentence."""
    from schemas.errors import ConfigError, PipelineError

    try:
        tidegate.main(prog_name="tidegate", standalone_mode=False)
    except ConfigError as error:
        _end(str(error), _CONFIGURATION)
    except PipelineError as error:
        _end(str(error), 1)
    except click.ClickException as error:
        error.show()
        sys.exit(_CONFIGURATION)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)


def _end(sentence: str, code: int) -> None:
    click.echo(f"tidegate: {sentence}", err=True)
    sys.exit(code)


end_spawned_with_parent()

if __name__ == "__main__":
    main()
