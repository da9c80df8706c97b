"""Opens the real clickhouse-client on the store, or runs one query with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from infra import clickhouse
from streams.store import StoreConnection


def sql(connection: StoreConnection, query: str | None = None) -> int:
    """Run clickhouse-client on this terminal and return 0 if it ended well, else 1.

    Args:
        connection: The store, by its ``native_port``, and the user to be.
        query: What to run; without it the client asks for queries.
    """
    # Interrupting a query is the client's business, on the terminal that both of us read.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        finished = subprocess.run(
            client_command(connection, query), env=os.environ | _secrets(connection), check=False
        )
    finally:
        signal.signal(signal.SIGINT, before)
    return 0 if finished.returncode == 0 else 1


def client_command(connection: StoreConnection, query: str | None) -> list[str]:
    """Return the client's command line, which holds no password."""
    options = [
        f"--host={connection.host}",
        f"--port={connection.native_port}",
        f"--user={connection.username}",
        f"--database={connection.database}",
        # Without a pager this build keeps results to itself.
        "--pager=cat",
    ]
    if connection.secure:
        options.append("--secure")
    if query is not None:
        options.append(f"--query={query}")
        if sys.stdout.isatty():
            options.append("--format=PrettyCompact")
    return clickhouse.command("client", *options)


def _secrets(connection: StoreConnection) -> dict[str, str]:
    secrets = {"CLICKHOUSE_PASSWORD": connection.password} if connection.password else {}
    if connection.cafile:
        secrets["SSL_CERT_FILE"] = connection.cafile
    return secrets
