"""The embedded broker's settings, each that departs from Kafka's default with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NODE = 1
_DAY_MINUTES = 24 * 60

_SMALL = {
    # One node holds one copy.
    "default.replication.factor": 1,
    "min.insync.replicas": 1,
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # Every partition costs files and memory; 50 are for large clusters.
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 1,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "num.recovery.threads.per.data.dir": 2,
    "log.cleaner.dedupe.buffer.size": 16 << 20,
}

_BEHAVIOUR = {
    # A misspelt topic is an error, not a new topic.
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": 0,
    # Kafka's week would make a system that rests longer start from its earliest record.
    "offsets.retention.minutes": 365 * _DAY_MINUTES,
    # Older protocol versions, which our clients speak, meet refusals at every first write.
    "transaction.partition.verification.enable": "false",
    # Transactions of the dead are ended soon after they time out; readers wait for that.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
    # There is no other broker to hand leadership to.
    "controlled.shutdown.enable": "false",
    # Nothing is measured for, or sent to, anybody.
    "metric.reporters": "",
}


@dataclass(frozen=True)
class Accounts:
    """Names and passwords: of the clients, and of the broker towards its controller."""

    client: tuple[str, str]
    controller: tuple[str, str]


def properties(
    storage: Path, host: str, port: int, controller_port: int, accounts: Accounts | None
) -> str:
    """Return ``server.properties``.

    Args:
        storage: The folder of the log.
        host: The address of both listeners.
        port: The clients' port.
        controller_port: The controller's port.
        accounts: Who may connect; None for everybody.
    """
    protocol = "SASL_PLAINTEXT" if accounts else "PLAINTEXT"
    listeners = f"CLIENT://{host}:{port},CONTROLLER://{host}:{controller_port}"
    settings: dict[str, object] = {
        "node.id": NODE,
        "process.roles": "broker,controller",
        "controller.quorum.bootstrap.servers": f"{host}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "listeners": listeners,
        "advertised.listeners": listeners,
        "listener.security.protocol.map": f"CLIENT:{protocol},CONTROLLER:{protocol}",
        "log.dirs": storage,
        **_SMALL,
        **_BEHAVIOUR,
    }
    if accounts:
        settings |= _security(accounts)
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _security(accounts: Accounts) -> dict[str, object]:
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    user, secret = accounts.client
    controller, controller_secret = accounts.controller
    return {
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "listener.name.client.scram-sha-512.sasl.jaas.config": (
            f'{scram} username="{user}" password="{secret}";'
        ),
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{plain} username="{controller}" password="{controller_secret}"'
            f' user_{controller}="{controller_secret}";'
        ),
    }


def fencing(host: str, controller_port: int) -> dict[str, object]:
    """Return what to change so that the node is a controller alone and ends every session at once.

    Args:
        host: The address it listens on.
        controller_port: The controller's port.
    """
    listener = f"CONTROLLER://{host}:{controller_port}"
    return {
        "process.roles": "controller",
        "listeners": listener,
        "advertised.listeners": listener,
        "broker.session.timeout.ms": 2,
        "broker.heartbeat.interval.ms": 1,
    }


def logging(log_file: Path) -> str:
    """Return the log4j2 configuration: JSON lines in ``log_file``, kept to 5 files of 10 MB."""
    line = (
        '{"at":"%d{yyyy-MM-dd\'T\'HH:mm:ss.SSS}{UTC}Z","level":"%p","logger":"%c{1}",'
        '"message":"%enc{%m}{JSON}","error":"%enc{%throwable{10}}{JSON}"}%n%throwable{0}'
    )
    return f"""\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log_file}
appender.file.filePattern = {log_file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = {line}
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 4
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


def fencing_logging(log_file: Path) -> str:
    """Return :func:`logging` with what the controller decides and when that is written."""
    return (
        logging(log_file)
        + """\
logger.deciding.name = org.apache.kafka.controller.ReplicationControlManager
logger.deciding.level = info
logger.writing.name = org.apache.kafka.controller.QuorumController
logger.writing.level = debug
"""
    )
