"""Every setting of Tidegate, in one frozen object built once by the command line.

A file (``tidegate.toml``, or ``--config``) is overridden by the environment: ``TIDEGATE_KAFKA`` and
the other plain settings by their name, a section's by ``TIDEGATE_<SECTION>__<KEY>``. A secret's
variable with ``_FILE`` appended names a file that holds it. Reading lives in
:mod:`infra.settings_sources`, which refuses names it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from infra.datafolder import DataFolder, sealing_key
from schemas.errors import ConfigError
from streams.log import Connection
from streams.store import StoreConnection

if TYPE_CHECKING:
    # Their libraries take a moment to load, which most commands need not wait for.
    from infra.broker import Broker
    from infra.store import StoreServer
    from infra.topics import Layout

Port = Annotated[int, Field(ge=1, le=65_535)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSecurity(Section):
    """How to prove who we are to the cluster that ``kafka`` names.

    Attributes:
        protocol: How the connection is protected.
        mechanism: How the password is shown, with SASL.
        username: With SASL.
        password: With SASL.
        cafile: Certificates to trust, with SSL; the system's if empty.
        certfile: Our own certificate, if the cluster wants one.
        keyfile: Its key.
    """

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str = ""
    password: SecretStr = SecretStr("")
    cafile: str = ""
    certfile: str = ""
    keyfile: str = ""


class ClickHouseSecurity(Section):
    """How to prove who we are to the server that ``clickhouse`` names.

    Attributes:
        username: May create databases, tables and users: it applies the migrations.
        password: Its password.
        cafile: Certificates to trust, with https; the system's if empty.
    """

    username: str = "default"
    password: SecretStr = SecretStr("")
    cafile: str = ""


class Ports(Section):
    """Where the embedded broker and store listen, on 127.0.0.1."""

    kafka: Port = 9092
    kafka_controller: Port = 9093
    clickhouse_http: Port = 8123
    clickhouse_native: Port = 9000


class Topics(Section):
    """How ``topics apply`` creates topics.

    Attributes:
        partitions: Partitions of each topic.
        replication: Copies of each partition.
        request_hours: How long requests, the only raw text, are kept.
        hours: How long everything else is kept.
        partition_bytes: The most that is kept of one partition.
    """

    partitions: Count = 4
    replication: Count = 1
    request_hours: Count = 24
    hours: Count = 7 * 24
    partition_bytes: Annotated[int, Field(ge=1 << 20)] = 512 << 20


class Tables(Section):
    """How the store's tables are made.

    Attributes:
        cluster: The cluster, by its name in the servers' configuration, over which they are
            replicated; empty for one server.
    """

    cluster: str = ""


class Gate(Section):
    """The gate.

    Attributes:
        request_deadline_s: Time to answer a request that names no deadline itself.
    """

    request_deadline_s: Positive = 300.0


class Models(Section):
    """Where models come from.

    Attributes:
        hub: Whether a pool's model may be fetched from the Hugging Face hub; if not, models are
            folders or come with packages, and nothing is asked of anybody.
    """

    hub: bool = False


class Sink(Section):
    """The sink.

    Attributes:
        linger_s: How long a batch of rows waits to grow.
        batch_rows: Rows at which it no longer waits.
    """

    linger_s: Positive = 5.0
    batch_rows: Annotated[int, Field(ge=1, le=100_000)] = 100_000


class SupervisorSettings(Section):
    """The process that keeps the others alive.

    Attributes:
        ready_s: Time for a part to become ready, a model's loading included.
        drain_s: Time for a role to finish what it holds, at ``down``; what has not ended five
            seconds later is killed.
        backoff_first_s: Wait before the first restart of what died; doubled at each further one.
        backoff_most_s: The longest such wait.
        worker_nice: How far workers and the role that embeds give way to all else, 0 to 19.
    """

    ready_s: Positive = 600.0
    drain_s: Positive = 25.0
    backoff_first_s: Positive = 0.5
    backoff_most_s: Positive = 30.0
    worker_nice: Annotated[int, Field(ge=0, le=19)] = 10


class Disk(Section):
    """Free space that must remain where the data folder lies.

    Attributes:
        min_free_bytes: Below it ``up`` refuses to start and the gate takes no new requests.
    """

    min_free_bytes: Annotated[int, Field(ge=0)] = 2 << 30


class Logs(Section):
    """The logs below ``<data>/logs``.

    Attributes:
        level: The least urgent line that is written.
        file_bytes: Size at which a role's log starts a new file.
        files: Files kept for each role.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    file_bytes: Annotated[int, Field(ge=1024)] = 10_000_000
    files: Count = 5


class Seal(Section):
    """The key that seals what may not be stored in the clear.

    Attributes:
        key: 32 bytes in base64; if empty, the one in the data folder that ``up`` generated.
    """

    key: SecretStr = SecretStr("")


class Settings(Section):
    """Everything an operator can set; the defaults run the embedded system.

    Attributes:
        kafka: ``host:port,...`` of a cluster to use instead of the embedded broker.
        clickhouse: ``http(s)://host:port/database`` to use instead of the embedded store.
        data: The data folder.
        registry: The folder with deployments, policies and alert rules.
        cache: Jars and converted models, which outlive the data.
        embedded_auth: Whether the embedded broker and reader ask for a password.
        config: The file that was read, if any; passed on to the roles.
    """

    # The defaults are paths to be made absolute, too.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    kafka: str | None = None
    clickhouse: str | None = None
    data: Path = Path(".tidegate")
    registry: Path = Path("registry")
    cache: Path = Path("~/.cache/tidegate")
    embedded_auth: bool = False
    config: Path | None = Field(default=None, exclude=True)

    kafka_security: KafkaSecurity = KafkaSecurity()
    clickhouse_security: ClickHouseSecurity = ClickHouseSecurity()
    ports: Ports = Ports()
    topics: Topics = Topics()
    tables: Tables = Tables()
    gate: Gate = Gate()
    models: Models = Models()
    sink: Sink = Sink()
    supervisor: SupervisorSettings = SupervisorSettings()
    disk: Disk = Disk()
    logs: Logs = Logs()
    seal: Seal = Seal()

    @field_validator("data", "registry", "cache")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    def connection(self) -> Connection:
        """Return how to reach Kafka, be it the embedded broker or the cluster it is set to."""
        if self.kafka is None:
            return self.broker().connection
        security = self.kafka_security
        return Connection(
            bootstrap=self.kafka,
            protocol=security.protocol,
            mechanism=security.mechanism,
            username=security.username,
            password=security.password.get_secret_value(),
            cafile=security.cafile,
            certfile=security.certfile,
            keyfile=security.keyfile,
        )

    def store(self, user: Literal["owner", "writer", "reader"]) -> StoreConnection:
        """Return how ``user`` reaches ClickHouse: ours has three users, another server the one set.

        Raises:
            ConfigError: If ``clickhouse`` is no address.
        """
        if self.clickhouse is None:
            server = self.store_server()
            return {"owner": server.owner, "writer": server.writer, "reader": server.reader}[user]
        secure, host, port, database = _address(self.clickhouse)
        security = self.clickhouse_security
        return StoreConnection(
            host=host,
            port=port,
            database=database,
            username=security.username,
            password=security.password.get_secret_value(),
            secure=secure,
            cafile=security.cafile,
            native_port=self.ports.clickhouse_native,
        )

    def broker(self) -> Broker:
        """Return the embedded broker."""
        from infra.broker import Broker

        return Broker(
            data=self.data,
            cache=self.cache,
            port=self.ports.kafka,
            controller_port=self.ports.kafka_controller,
            auth=self.embedded_auth,
        )

    def store_server(self) -> StoreServer:
        """Return the embedded store."""
        from infra.store import StoreServer

        return StoreServer(
            data=self.data,
            http_port=self.ports.clickhouse_http,
            native_port=self.ports.clickhouse_native,
            auth=self.embedded_auth,
        )

    def topic_layout(self, pools: Iterable[str]) -> Layout:
        """Return how topics are laid out on the cluster, those of ``pools`` included."""
        from infra.topics import Layout, topics_for
        from schemas.topics import REQUESTS

        hours = {
            name: self.topics.request_hours if topic is REQUESTS else self.topics.hours
            for name, topic in topics_for(pools).items()
        }
        return Layout(
            partitions=self.topics.partitions,
            replication_factor=self.topics.replication,
            partition_max_bytes=self.topics.partition_bytes,
            overrides={name: {"retention.ms": str(h * 3_600_000)} for name, h in hours.items()},
        )

    def sealing_key(self) -> bytes:
        """Return the key that seals what may not be stored in the clear.

        Raises:
            ConfigError: If there is none, or it is not 32 bytes in base64.
        """
        return sealing_key(DataFolder(self.data), self.seal.key.get_secret_value())


def _address(url: str) -> tuple[bool, str, int, str]:
    """Return whether to use TLS, host, port and database of a ClickHouse address.

    >>> _address("https://clickhouse.example/events")
    (True, 'clickhouse.example', 8443, 'events')
    """
    key = "TIDEGATE_CLICKHOUSE"
    parts = urlsplit(url)
    database = parts.path.strip("/") or "tidegate"
    try:
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{url!r} names no port from 0 to 65535", key=key) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ConfigError("is not http(s)://host:port/database", key=key)
    secure = parts.scheme == "https"
    return secure, parts.hostname, port or (8443 if secure else 8123), database
