"""A Faust agent as its manual writes one, over the gate's backlog: it decodes JSON, no more."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import faust

from streams.gate import TOPICS


class _FirstRecord(faust.Sensor):
    """Notes when the first record reached the app, whose agent then has them all before it."""

    at_s = 0.0
    cpu_s = 0.0

    def on_message_in(self, tp: Any, offset: int, message: Any) -> None:
        """Look at the clocks, once."""
        if not self.at_s:
            self.at_s, self.cpu_s = time.perf_counter(), time.process_time()


def _measure(bootstrap: str, group: str, events: int, result: Path) -> None:
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        value_serializer="json",
        consumer_auto_offset_reset="earliest",
        topic_disable_leader=True,
        web_enabled=False,
        datadir=tempfile.mkdtemp(prefix="tidegate-bench-"),
    )
    first = _FirstRecord()
    app.sensors.add(first)

    def end() -> None:
        seconds, cpu_s = time.perf_counter() - first.at_s, time.process_time() - first.cpu_s
        result.write_text(json.dumps({"events": events, "seconds": seconds, "cpu_s": cpu_s}))
        # Faust would take seconds to end in good order, and there is nothing to keep.
        os._exit(0)

    @app.agent(app.topic(*TOPICS))
    async def decode(stream: Any) -> None:
        seen = 0
        async for _event in stream:
            seen += 1
            if seen == events:
                end()

    faust.Worker(app, loglevel="ERROR").execute_from_commandline()


if __name__ == "__main__":
    _measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
