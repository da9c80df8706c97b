"""What must hold before anything is started, so that a refusal leaves nothing half running."""

from __future__ import annotations

from collections import Counter

from infra.datafolder import DataFolder
from infra.ports import require_free
from infra.settings import Settings
from schemas.errors import ConfigError

HOST = "127.0.0.1"


def check(settings: Settings) -> None:
    """Refuse to start where the disk is nearly full or a port is taken.

    Raises:
        ConfigError: Saying which, and what to do.
    """
    check_disk(DataFolder(settings.data), settings.disk.min_free_bytes)
    ports = embedded_ports(settings)
    twice = [port for port, times in Counter(ports.values()).items() if times > 1]
    if twice:
        names = " and ".join(name for name, port in ports.items() if port in twice)
        raise ConfigError(f"{names} must not be the same port", key="ports")
    for name, port in ports.items():
        require_free(HOST, port, f"ports.{name}")


def check_disk(folder: DataFolder, min_free_bytes: int) -> None:
    """Refuse to write where less than ``min_free_bytes`` are free.

    Raises:
        ConfigError: Saying how much is free and how much must be.
    """
    free = folder.free_bytes()
    if free < min_free_bytes:
        raise ConfigError(
            f"the disk has {free / 1e9:.1f} GB free and {min_free_bytes / 1e9:.1f} are needed;"
            " make room, or lower disk.min_free_bytes",
            file=str(folder.path),
        )


def embedded_ports(settings: Settings) -> dict[str, int]:
    """Return the ports that our own broker and store will listen on, by the setting's name."""
    ports = settings.ports.model_dump()
    unused = set()
    if settings.kafka is not None:
        unused.add("kafka")
    if settings.clickhouse is not None:
        unused.add("clickhouse")
    return {name: port for name, port in ports.items() if name.partition("_")[0] not in unused}
