"""The worker between the topics, with a stub for alibi-detect and, where it is there, with it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from infra.alibi import start
from infra.alibi.fitting import WINDOW
from infra.alibi.start import ENVIRONMENT, become_worker, surroundings
from infra.alibi.worker import TASK, Task, Worker, held, serve
from infra.commands.run import command
from infra.logs import ROOMS
from infra.registry import DEFAULTS
from infra.roles import checked_registry
from infra.settings import KafkaSecurity, Settings
from schemas.codec import decode, encode
from schemas.embeddings import TextEmbedded
from schemas.errors import ConfigError
from schemas.topics import EMBEDDINGS, FINDINGS
from schemas.watching import Finding
from streams.log import Connection
from tests.infra.alibi_stub import AT, REFERENCE, Stub, place, text
from tests.streams.faust_cluster import cluster, produce, read_all, until

OFFERED = {"aiokafka", "numpy", "orjson", "pydantic"}
"""What ``make alibi`` installs besides alibi-detect, without what comes with these."""
THEIRS = {"annotated_types", "async_timeout", "packaging", "pydantic_core", "typing_extensions"}
THEIRS |= {"typing_inspection"}


@pytest.fixture(scope="module")
def kafka_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A broker with all topics, for which nobody else's texts are meant."""
    with cluster(tmp_path_factory.mktemp("alibi")) as connection:
        yield connection


def task(folder: Path, connection: Connection | None = None) -> Task:
    """Return what a worker is told."""
    return Task(
        connection=connection or Connection("nowhere:1"),
        partitions=4,
        folder=folder,
        detector="mmd",
        arl=50,
        reference=REFERENCE,
        level="info",
        ready_file=None,
    )


def stream(many: int, moved: int, **more: Any) -> list[TextEmbedded]:
    """Return so many usual texts, and after them so many that lie elsewhere."""
    return [text(n, moved=n >= many, **more) for n in range(many + moved)]


async def send(connection: Connection, texts: list[TextEmbedded]) -> None:
    """Write them as the role that embeds does."""
    await produce(
        connection, [(EMBEDDINGS.name, one.deployment.encode(), encode(one)) for one in texts]
    )


async def detections(connection: Connection, deployment: str) -> list[Finding]:
    """Return what was detected of the deployment, each record of it."""
    found = [decode(Finding, one.value) for one in await read_all(connection, FINDINGS.name)]
    return [one for one in found if one.kind == "detection" and one.deployment == deployment]


def test_it_goes_on_from_its_files(tmp_path: Path) -> None:
    """What was saved is skipped; what was not comes again and leads to the same finding."""
    texts = [encode(one) for one in stream(REFERENCE + 10, 30)]
    first = Worker(task(tmp_path), Stub)
    saved, said = REFERENCE + 20, []
    for offset, value in enumerate(texts):
        if offset == saved:
            first.save()
        said.append(first.read(value, place(offset), AT))
    assert first.is_ahead
    again = Worker(task(tmp_path), Stub)
    assert not again.is_ahead
    repeated = [again.read(value, place(offset), AT) for offset, value in enumerate(texts)]
    assert [one for one in said if one] != []
    assert repeated[saved:] == said[saved:]
    assert [one for one in repeated[:saved] if one] == []


def test_prompts_and_answers_and_deployments_are_apart(tmp_path: Path) -> None:
    """Each has a file, wherever a deployment's name would lead to."""
    worker = Worker(task(tmp_path), Stub)
    odd = text(0).model_copy(update={"deployment": "../up"})
    for offset, one in enumerate(
        (text(0), text(1).model_copy(update={"direction": "answer"}), odd)
    ):
        worker.read(encode(one), place(offset), AT)
    worker.save()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["..%2Fup.prompt.mmd.json", "bank.answer.mmd.json", "bank.prompt.mmd.json"]


def test_what_is_no_text_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the next one is read."""
    worker = Worker(task(tmp_path), Stub)
    odd = text(0).model_copy(update={"vector": "AHwAPA=="})
    for offset, value in enumerate((None, b"{}", encode(odd))):
        assert worker.read(value, place(offset), AT) is None
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
    assert not worker.read(encode(text(1)), place(3), AT)


def test_one_process_holds_the_folder(tmp_path: Path) -> None:
    """Another is refused."""
    folder = tmp_path / "alibi"
    with held(folder), pytest.raises(ConfigError, match="another worker"), held(folder):
        pass


def test_it_imports_what_its_environment_has() -> None:
    """The libraries of the rest are not there."""
    code = "import sys, infra.alibi.worker; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=surroundings(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert loaded >= OFFERED
    assert loaded & packages_distributions().keys() <= OFFERED | THEIRS | {
        *ROOMS,
        "_distutils_hack",
    }


def test_without_the_environment_it_says_what_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, before Kafka is asked."""
    monkeypatch.setattr(start, "ENVIRONMENT", tmp_path)
    with pytest.raises(ConfigError, match="run `make alibi`"):
        become_worker(Settings(), "mmd", 500, 1000, None)


def test_a_rule_may_name_its_monitors(tmp_path: Path) -> None:
    """They are not among ours, and are no mistake."""
    folder = Path(shutil.copytree(DEFAULTS, tmp_path / "registry"))
    (folder / "alerts" / "moved.yaml").write_text("name: moved\nfindings: [alibi_mmd]\n")
    assert "moved" in checked_registry(folder).rules


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["sink", "--backend", "alibi"], "for no other role"),
        (["monitors", "--arl", "100"], "go with --backend"),
    ],
)
def test_options_that_do_nothing_are_refused(options: list[str], complaint: str) -> None:
    """Nobody is left to believe that they did."""
    with pytest.raises(ConfigError, match=complaint):
        CliRunner().invoke(
            click.Group(commands={"run": command}), ["run", *options], catch_exceptions=False
        )


def test_no_password_is_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the worker is told stands in a variable, and is what the settings say."""
    (tmp_path / ".installed").touch()
    monkeypatch.setattr(start, "ENVIRONMENT", tmp_path)
    monkeypatch.setenv("PYTHONHOME", "/elsewhere")

    async def four(_: Connection) -> int:
        return 4

    monkeypatch.setattr(start, "_partitions", four)
    called: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *given: called.append(given))
    security = KafkaSecurity(protocol="SASL_SSL", username="eve", password=SecretStr("secret"))
    settings = Settings(kafka="there:1", kafka_security=security, data=tmp_path)
    become_worker(settings, "lsdd", 500, 1000, None)
    [(python, words, environment)] = called
    assert python == tmp_path / "bin" / "python"
    assert "secret" not in " ".join(words)
    assert "PYTHONHOME" not in environment
    told = TASK.validate_json(environment[Task.VARIABLE])
    assert told.connection == settings.connection()
    assert (told.detector, told.folder) == ("lsdd", tmp_path / "alibi")


@pytest.mark.kafka
def test_findings_are_written_once_each_across_restarts(
    kafka_alone: Connection, tmp_path: Path
) -> None:
    """Stopped before it could save, it reads again and says the same under the same id."""

    async def main() -> None:
        here = replace(task(tmp_path, kafka_alone), ready_file=tmp_path / "ready")
        await send(kafka_alone, stream(REFERENCE + WINDOW, 30, deployment="stubbed"))
        for runs in (1, 2):
            (tmp_path / "ready").unlink(missing_ok=True)
            serving = asyncio.create_task(serve(here, Worker(here, Stub)))

            async def has_read(runs: int = runs) -> bool:
                return len(await detections(kafka_alone, "stubbed")) == runs

            await until(has_read)
            assert (tmp_path / "ready").exists()
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    asyncio.run(main())
    first, second = asyncio.run(detections(kafka_alone, "stubbed"))
    assert first == second


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.skipif(
    not (ENVIRONMENT / ".installed").exists(), reason="`make alibi` has not been run"
)
def test_alibi_detect_itself_finds_what_moved(kafka_alone: Connection, tmp_path: Path) -> None:
    """By the command, in its own environment: fitted, stopped, started, and heard of by alerts."""
    started = [sys.executable, "-P", "-m", "infra.cli", "run", "monitors", "--backend", "alibi"]
    started += ["--arl", "50", "--reference", "200", "--ready-file", str(tmp_path / "ready")]
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    environment = mine | {
        "TIDEGATE_KAFKA": kafka_alone.bootstrap,
        "TIDEGATE_DATA": str(tmp_path / "data"),
    }

    asyncio.run(send(kafka_alone, stream(320, 0, deployment="real")))
    moved = [text(n, moved=True, deployment="real") for n in range(320, 400)]
    for texts, exemplar in ([], None), (moved, "r-330"):
        asyncio.run(send(kafka_alone, texts))
        (tmp_path / "ready").unlink(missing_ok=True)
        with (
            (tmp_path / "log").open("w") as log,
            subprocess.Popen(started, env=environment, cwd=tmp_path, stderr=log) as worker,
        ):

            async def is_done(worker: Any = worker, exemplar: str | None = exemplar) -> bool:
                records = await read_all(kafka_alone, FINDINGS.name)
                found = [decode(Finding, one.value) for one in records if one.key == b"real"]
                told = exemplar is None or any(
                    exemplar < max(one.exemplars, default="") for one in found
                )
                is_ready = (tmp_path / "ready").exists() and bool(found) and told
                return is_ready or worker.poll() is not None

            try:
                asyncio.run(until(is_done))
            finally:
                worker.send_signal(signal.SIGTERM)
        said = (tmp_path / "log").read_text()
        assert worker.returncode == 0, said
        assert "not free of charge in production" in said
