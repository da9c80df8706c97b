"""Whether a port of this machine is free."""

from __future__ import annotations

import socket

from schemas.errors import ConfigError


def require_free(host: str, port: int, purpose: str) -> None:
    """Refuse to go on when something else listens on ``host:port``.

    Args:
        host: The address to listen on.
        port: The port.
        purpose: What it is for, as the operator knows it.

    Raises:
        ConfigError: Naming the port, if it is taken or not ours to open.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} on {host}, for {purpose}, cannot be opened: {error.strerror};"
                " stop what uses it or choose another port"
            ) from error


def answers(host: str, port: int) -> bool:
    """Return whether something accepts connections on ``host:port``."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
