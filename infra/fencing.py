"""A node that was killed is told so before it starts again.

Kafka's node comes back with the metadata of its last moment, in which it leads every partition. Its
coordinators are loaded at once and send the markers of transactions that were committed just before
to the node itself, which does not listen yet. When the controller then ends the killed node's
session, no partition has a leader; the coordinator takes that for deleted topics and drops the
markers. The transaction stays open for ever though its commit was acknowledged: what it wrote is
never seen, and its offset stays pending. Whoever asks for an offset meanwhile may hear that there
is none. So the controller is run alone first, until it has ended that session; the broker comes up
without leading anything, and need not wait for the session's end itself.

References:
    ``TransactionMarkerChannelManager.addTxnMarkersToBrokerQueue`` in Apache Kafka 4.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.children import end_with_parent
from schemas.errors import ConfigError

_FENCED = "Fencing broker"
_WRITTEN = "Processed maybeFenceStaleBroker"
"""It is said of a decision, or of a look that finds nothing, when all decided before is written."""
_STARTED = "Kafka Server started"
_GRACE_S = 0.5
"""How long a controller that is up takes, at the most, to see that a session has ended."""
_TIMEOUT_S = 60.0
_LOOK_EVERY_S = 0.02


def fence(command: Sequence[str], variables: Mapping[str, str], log_file: Path) -> None:
    """Run the controller alone until the node's last session has ended.

    Args:
        command: Runs the controller with sessions that end at once, in the foreground.
        variables: The environment variables it needs besides ours.
        log_file: Where it writes its log.

    Raises:
        ConfigError: If it does not come up; the message names its log.
    """
    log_file.unlink(missing_ok=True)
    parent = os.getpid()
    with subprocess.Popen(
        command,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for whoever waits here
        preexec_fn=lambda: end_with_parent(parent, signal.SIGKILL),
    ) as controller:
        try:
            _wait(controller, log_file)
        finally:
            controller.terminate()


def _wait(controller: subprocess.Popen[bytes], log_file: Path) -> None:
    began = time.monotonic()
    started: float | None = None
    while controller.poll() is None and time.monotonic() < began + _TIMEOUT_S:
        said = log_file.read_text(errors="replace") if log_file.exists() else ""
        if _WRITTEN in said.partition(_FENCED)[2]:
            return
        if started is None and _STARTED in said:
            started = time.monotonic()
        if started is not None and _FENCED not in said and time.monotonic() > started + _GRACE_S:
            return  # it had ended before
        time.sleep(_LOOK_EVERY_S)
    raise ConfigError(f"Kafka's controller did not come up; see {log_file}")
