"""Feed guards with bytes that a fuzzer makes out of what they covered before.

    python -m tests.fuzz FOLDER -max_total_time=300

The folder keeps the inputs that covered something new; an empty one is given texts that guards look
for. The other options are libFuzzer's. It needs the package ``atheris``.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

_MAX_BYTES = 4096
_TIMEOUT_S = 20


def main() -> None:
    """Let atheris call the property until it fails or its time is up."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["monitors"]):
        reading = importlib.import_module("tests.fuzz.reading")
    reading.read(b"My name is Ada.")  # makes the databases, not in the first input's time
    _seed(Path(sys.argv[1]))
    options = (f"-max_len={_MAX_BYTES}", f"-timeout={_TIMEOUT_S}", "-len_control=0")
    atheris.Setup([*sys.argv, *options], reading.read)
    atheris.Fuzz()


def _seed(folder: Path) -> None:
    laws = importlib.import_module("tests.monitors.test_guard_laws")
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        for number, text in enumerate((*laws.TELLING, *laws.ADVERSARIAL)):
            (folder / f"seed-{number}").write_bytes(text.encode("utf-8", "replace"))


if __name__ == "__main__":
    main()
