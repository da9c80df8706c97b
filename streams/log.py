"""The log as the loop needs it: partitions, positions and atomic writes.

:mod:`streams.kafka_log` is Kafka, :mod:`streams.memory_log` a model of it; one suite of contract
tests holds both to what is written here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from zlib import crc32


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int


class Record(NamedTuple):
    """A record as it lies in the log; ``timestamp_ms`` is the broker's."""

    partition: Partition
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


class Output(NamedTuple):
    """A record to be written.

    Args:
        topic: Where to.
        key: Decides the partition, by its CRC-32, unless ``partition`` is given.
        value: The bytes.
        partition: The partition to write to, where the topic has it.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


@dataclass(frozen=True)
class Position:
    """How far a group has come: the offset of the next record to read, and a note beside it."""

    offset: int
    metadata: str = ""


def spread(output: Output, partitions: int) -> int:
    """Return the partition, of ``partitions``, that ``output`` is written to."""
    if output.partition is not None and output.partition < partitions:
        return output.partition
    return crc32(output.key or b"") % partitions


METADATA_MAX_BYTES = 4000
"""What fits a committed position's metadata; Kafka takes 4,096."""


class Writer(Protocol):
    """The one writer for one partition of a group: opening it shuts out every earlier one."""

    async def write(self, outputs: Sequence[Output], position: Position) -> None:
        """Write ``outputs`` and commit ``position``: both happen, or neither.

        Raises:
            Fenced: If a later writer was opened; nothing happened.
            LogUnavailable: If the outcome is unknown; what is committed tells, once opened anew.
        """
        ...

    async def close(self) -> None:
        """Give the connection back; never raises."""
        ...


class Membership(Protocol):
    """A member of a group, reading the partitions it was assigned."""

    async def poll(self, wait_s: float, most: int) -> list[Record]:
        """Return up to ``most`` records after the position of partitions that are not paused.

        Only records of committed transactions are returned, in order within a partition.

        Raises:
            LogUnavailable: If the membership is lost and a new one must be joined.
        """
        ...

    def pause(self, partition: Partition) -> None:
        """Return no records of ``partition`` until it is resumed; unassigned ones are ignored."""
        ...

    def resume(self, partition: Partition) -> None:
        """Return records of ``partition`` again; unassigned ones are ignored."""
        ...

    def seek(self, partition: Partition, offset: int) -> None:
        """Return the record at ``offset``, or the first after it, next."""
        ...

    async def leave(self) -> None:
        """Stop reading; never raises. A static member keeps its partitions for the session."""
        ...


Owned = Callable[[Membership, frozenset[Partition]], Awaitable[None]]
"""Told of every partition a member now owns, after each rebalance."""


class Log(Protocol):
    """A cluster that holds topics."""

    async def join(
        self, group: str, member: str, topics: Sequence[str], owned: Owned
    ) -> Membership:
        """Become the member called ``member`` of ``group``.

        ``owned`` is awaited after each rebalance with all partitions that the member now has; they
        are paused then, and their positions are not to be relied on before :meth:`Membership.seek`.

        Raises:
            LogUnavailable: If the log does not answer.
            ConfigError: If a topic does not exist.
        """
        ...

    async def open_writer(self, group: str, partition: Partition) -> Writer:
        """Return the writer for ``partition`` of ``group``, ending all earlier ones' transactions.

        Raises:
            LogUnavailable: If the log does not answer.
        """
        ...

    async def committed(self, group: str, partition: Partition) -> Position:
        """Return what ``group`` committed for ``partition``; the earliest record if nothing.

        Raises:
            LogUnavailable: If the log does not answer.
        """
        ...

    def history(
        self, partition: Partition, before: int, window_ms: int
    ) -> AsyncIterator[list[Record]]:
        """Yield, in batches, the records of the ``window_ms`` that end at offset ``before``.

        Raises:
            LogUnavailable: If the log does not answer.
        """
        ...

    async def partitions(self, topic: str) -> int:
        """Return how many partitions ``topic`` has.

        Raises:
            LogUnavailable: If the log does not answer.
            ConfigError: If it does not exist.
        """
        ...

    async def close(self) -> None:
        """Give all connections back; never raises."""
        ...


@dataclass(frozen=True)
class Connection:
    """How to reach a Kafka cluster.

    Args:
        bootstrap: ``host:port``, comma separated.
        protocol: ``PLAINTEXT``, ``SSL``, ``SASL_PLAINTEXT`` or ``SASL_SSL``.
        mechanism: ``PLAIN``, ``SCRAM-SHA-256`` or ``SCRAM-SHA-512``, with SASL.
        username: With SASL.
        password: With SASL; never printed.
        cafile: Certificates to trust, with SSL; the system's if empty.
        certfile: Our own certificate, if the cluster wants one.
        keyfile: Its key.
    """

    bootstrap: str
    protocol: str = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    cafile: str = ""
    certfile: str = ""
    keyfile: str = ""
