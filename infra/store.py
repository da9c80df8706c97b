"""The embedded store: the real clickhouse-server, out of its wheel.

This file says where it lies, how it is started and when it is ready; whoever starts it owns the
process. Its settings and users are in :mod:`infra.store_config`.
"""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from pathlib import Path

from infra import clickhouse, store_config
from infra.keys import password, private_folder, write_private
from infra.ports import require_free
from schemas.errors import ConfigError
from streams.store import StoreConnection

DATABASE = "tidegate"
OWNER = "owner"
WRITER = "tidegate_writer"
READER = "default"


@dataclass(frozen=True)
class StoreServer:
    """One ClickHouse server on this machine, its data below ``data / "clickhouse"``.

    Stopped by SIGTERM in seconds; killed at any moment, what it acknowledged is there.

    Args:
        data: The data folder.
        host: The address it listens on.
        http_port: The port of HTTP.
        native_port: The port of ClickHouse's own protocol.
        auth: Whether the reader needs the password in ``data / "keys"``; without it every account
            of this machine may read.
        memory_mb: What the server may use, in MiB.
    """

    data: Path
    host: str = "127.0.0.1"
    http_port: int = 8123
    native_port: int = 9000
    auth: bool = False
    memory_mb: int = 2048

    @property
    def owner(self) -> StoreConnection:
        """How migrations reach it."""
        return self._connection(OWNER)

    @property
    def writer(self) -> StoreConnection:
        """How the sink reaches it."""
        return self._connection(WRITER)

    @property
    def reader(self) -> StoreConnection:
        """How dashboards reach it."""
        return self._connection(READER)

    def prepare(self) -> None:
        """Write the configuration, and make the passwords the first time.

        Raises:
            ConfigError: If a port is taken, or ClickHouse is not installed.
        """
        require_free(self.host, self.http_port, "ClickHouse over HTTP")
        require_free(self.host, self.native_port, "ClickHouse's own protocol")
        clickhouse.library()
        private_folder(self._home)
        self._log_file.parent.mkdir(exist_ok=True)
        passwords = store_config.Passwords(
            owner=self._password(OWNER),
            writer=self._password(WRITER),
            reader=self._password(READER) if self.auth else None,
        )
        write_private(self._home / "users.xml", store_config.users(passwords, DATABASE))
        config = store_config.server(
            self._home,
            self._log_file,
            self.host,
            self.http_port,
            self.native_port,
            self.memory_mb,
        )
        write_private(self._config, config)

    def command(self) -> list[str]:
        """Return the command line that runs the prepared server in the foreground."""
        return clickhouse.command("server", f"--config-file={self._config}")

    def environment(self) -> dict[str, str]:
        """Return the variables that :meth:`command` needs besides the usual ones."""
        # The watchdog is a second process, which would outlive a killed first one.
        return {"CLICKHOUSE_WATCHDOG_ENABLE": "0"}

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Return once the server answers queries.

        Raises:
            ConfigError: If it does not within ``timeout_s`` seconds; the message names its log.
        """
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise ConfigError(
                    f"ClickHouse did not come up within {timeout_s:.0f} s; see {self._log_file}"
                )
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """Return whether the server answers now."""
        http_connection = http.client.HTTPConnection(self.host, self.http_port, timeout=2)
        try:
            http_connection.request("GET", "/ping")
            response = http_connection.getresponse()
            return response.status == http.HTTPStatus.OK and response.read() == b"Ok.\n"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            http_connection.close()

    @property
    def _home(self) -> Path:
        return self.data / "clickhouse"

    @property
    def _config(self) -> Path:
        return self._home / "config.xml"

    @property
    def _log_file(self) -> Path:
        return self.data / "logs" / "clickhouse.log"

    def _password(self, user: str) -> str:
        return password(self.data / "keys", f"clickhouse-{user}")

    def _connection(self, user: str) -> StoreConnection:
        open_to_all = user == READER and not self.auth
        return StoreConnection(
            host=self.host,
            port=self.http_port,
            native_port=self.native_port,
            database=DATABASE,
            username=user,
            password="" if open_to_all else self._password(user),
        )
