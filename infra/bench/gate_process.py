"""The gate over a backlog, in a process of its own: how long it takes, and where the time goes."""

from __future__ import annotations

import asyncio
import cProfile
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pstats import Stats
from typing import Any

from infra.garbage import collect_seldom
from infra.roles import build_gate, checked_registry
from infra.settings_sources import load_settings
from streams.gate import TOPICS, Gate
from streams.kafka_log import KafkaLog
from streams.log import Output, Partition, Position, Record, Writer
from streams.loop import Loop
from streams.transform import Transform

_FUNCTIONS = 25


class _Measured:
    """The gate's step, which counts its records and says when the last of them is done."""

    def __init__(self, gate: Gate, events: int, profile: cProfile.Profile | None) -> None:
        self.history_ms = gate.history_ms
        self.forget, self.remember, self.give_up = gate.forget, gate.remember, gate.give_up
        self.began_s = 0.0
        self.cpu_s = 0.0
        self.done = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._gate = gate
        self._profile = profile
        self._left = events

    def __call__(self, records: Sequence[Record]) -> list[Output]:
        self.began_s = self.began_s or time.perf_counter()
        began_s = time.thread_time()
        if self._profile is None:
            outputs = self._gate(records)
        else:
            outputs = self._profile.runcall(self._gate, records)
        self.cpu_s += time.thread_time() - began_s
        self._left -= len(records)
        if self._left <= 0:
            self._loop.call_soon_threadsafe(self.done.set)
        return outputs


class _TimedWriter:
    """A writer that notes when it has committed."""

    def __init__(self, writer: Writer, log: _TimedLog) -> None:
        self._writer = writer
        self._log = log

    async def write(self, outputs: Sequence[Output], position: Position) -> None:
        await self._writer.write(outputs, position)
        self._log.committed_s = time.perf_counter()
        self._log.transactions += 1

    async def close(self) -> None:
        await self._writer.close()


class _TimedLog(KafkaLog):
    """Kafka, with a note of the last commit."""

    committed_s = 0.0
    transactions = 0

    async def open_writer(self, group: str, partition: Partition) -> Writer:
        return _TimedWriter(await super().open_writer(group, partition), self)


async def _measure(config: Path, group: str, events: int, profiled: bool) -> dict[str, Any]:
    settings = load_settings(config)
    profile = cProfile.Profile(time.thread_time) if profiled else None
    step = _Measured(build_gate(settings, checked_registry(settings.registry)), events, profile)
    log = _TimedLog(settings.connection())
    with ThreadPoolExecutor(1, "gate") as executor:
        cpu_s = time.process_time()
        loop = Loop(log, group=group, member=group, topics=TOPICS, work=Transform(step, executor))
        await loop.run(step.done, collect_seldom)
        cpu_s = time.process_time() - cpu_s
    return {
        "events": events,
        "seconds": log.committed_s - step.began_s,
        "cpu_s": cpu_s,
        "step_cpu_s": step.cpu_s,
        "transactions": log.transactions,
        "profile": _functions(profile) if profile else [],
    }


def _functions(profile: cProfile.Profile) -> list[dict[str, Any]]:
    """Return the functions that took most, by their own time without that of what they called."""
    stats: dict[Any, Any] = vars(Stats(profile))["stats"]
    total_s = sum(own_s for _, _, own_s, _, _ in stats.values())
    dearest = sorted(stats.items(), key=lambda item: -item[1][2])[:_FUNCTIONS]
    return [
        {
            "function": name,
            "where": f"{_short(file)}:{line}",
            "calls": calls,
            "own_s": round(own_s, 4),
            "share": round(own_s / total_s, 4),
        }
        for (file, line, name), (_, calls, own_s, _, _) in dearest
    ]


def _short(file: str) -> str:
    """Return a source file's name with no more folders than tell it apart."""
    return "/".join(Path(file).parts[-2:])


if __name__ == "__main__":
    _config, _group, _events, _profiled, _result = sys.argv[1:]
    _found = asyncio.run(_measure(Path(_config), _group, int(_events), _profiled == "profile"))
    Path(_result).write_text(json.dumps(_found))
