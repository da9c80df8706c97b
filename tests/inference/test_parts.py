"""The small parts of engines: number formats, stop strings, prompts, environment, orphans."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.chat import Chat, load_tokenizer, plain, turns_of
from inference.detokenizing import Detokenizer
from inference.dtype import cpu_dtype, cpu_flags, gpu_dtype
from inference.engine import Generation
from inference.models import bank_folder
from inference.offline import be_discreet
from inference.stopping import StopAt
from schemas.errors import ConfigError, PoisonError, PromptTooLarge
from schemas.requests import Message, Sampling
from tests.inference.conftest import asked


@cache
def bank_tokenizer() -> Any:
    """Return the bank model's tokenizer."""
    return load_tokenizer(bank_folder(Path()))


ignore_library_warnings = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ({"avx2", "avx512f"}, "float32"),
        ({"avx2", "avx512_bf16"}, "bfloat16"),
        ({"amx_bf16"}, "bfloat16"),
        ({"asimd", "bf16"}, "bfloat16"),
        (set(), "float32"),
    ],
)
def test_cpu_dtype_follows_the_instructions(flags: set[str], dtype: str) -> None:
    """Only a CPU with instructions for bfloat16 computes in it."""
    assert cpu_dtype(frozenset(flags)) == dtype


@pytest.mark.parametrize(
    ("capability", "dtype"), [((7, 5), "float16"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")]
)
def test_gpu_dtype_follows_the_generation(capability: tuple[int, int], dtype: str) -> None:
    """GPUs before Ampere compute in float16."""
    assert gpu_dtype(capability) == dtype


def test_cpu_flags_are_read(tmp_path: Path) -> None:
    """Flags come from the first CPU, on x86 and on ARM; a system without the file has none."""
    x86, arm = tmp_path / "x86", tmp_path / "arm"
    x86.write_text("model name\t: A\nflags\t\t: fpu avx2\n\nflags\t\t: other\n")
    arm.write_text("Features\t: asimd bf16\n")
    assert cpu_flags(x86) == {"fpu", "avx2"}
    assert cpu_flags(arm) == {"asimd", "bf16"}
    assert cpu_flags(tmp_path / "none") == frozenset()


@given(st.text(alphabet="abc", max_size=30), st.lists(st.text(alphabet="abc", max_size=3)))
def test_stop_at_equals_cutting_the_whole(text: str, stops: list[str]) -> None:
    """However text arrives, what gets out is what stands before the first stop string."""
    found = [text.find(stop) for stop in stops if stop and stop in text]
    gate = StopAt(stops)
    out = "".join(gate.push(letter) for letter in text) + gate.flush()
    whole = StopAt(stops)
    assert whole.push(text) + whole.flush() == (text[: min(found)] if found else text)
    assert gate.stopped == whole.stopped == bool(found)
    assert not any(stop in out for stop in stops if stop)


@ignore_library_warnings
@given(st.text(max_size=40))
def test_pieces_of_text_are_the_whole(text: str) -> None:
    """Pieces put together are what decoding at once gives, also inside characters of many bytes."""
    tokenizer = bank_tokenizer()
    tokens = tokenizer(text).input_ids
    detokenizer = Detokenizer(tokenizer)
    pieces = [detokenizer.push(token) for token in tokens]
    assert "".join(pieces) + detokenizer.flush() == tokenizer.decode(
        tokens, skip_special_tokens=True
    )


def test_passages_stand_before_the_question() -> None:
    """Passages are numbered in front of what the user said last; other turns stay as they are."""
    generation = Generation(
        request_id="r",
        messages=(
            Message(role="user", content="first"),
            Message(role="assistant", content="yes"),
            Message(role="user", content="second"),
        ),
        sampling=Sampling(),
        passages=("one", "two"),
    )
    turns = turns_of(generation)
    assert [turn["content"] for turn in turns[:2]] == ["first", "yes"]
    assert turns[2]["content"] == "Use these passages:\n[1] one\n[2] two\n\nsecond"


def test_passages_without_a_user_become_a_turn() -> None:
    """A conversation of system turns only is still given its passages."""
    generation = Generation("r", (Message(role="system", content="s"),), Sampling(), ("one",))
    assert turns_of(generation)[-1] == {"role": "user", "content": "Use these passages:\n[1] one"}


class _Tokenizer:
    """A tokenizer of words; ``chat_template`` may refuse."""

    def __init__(self, chat_template: str | None) -> None:
        self.chat_template = chat_template

    def __call__(self, text: str) -> object:
        return type("Encoding", (), {"input_ids": text.split()})

    def apply_chat_template(self, *_args: object, **_kwargs: object) -> list[str]:
        from jinja2 import TemplateError

        raise TemplateError("no system role here")


async def test_a_model_without_chat_template_reads_plain_text() -> None:
    """A base model gets a dialogue in plain text."""
    tokens = await Chat(_Tokenizer(None), 100).encode(asked("Hello there"))
    assert " ".join(map(str, tokens)) == "User: Hello there Assistant:"
    assert plain([{"role": "system", "content": "s"}]) == "System: s\nAssistant:"


async def test_a_refusing_chat_template_is_the_requests_fault() -> None:
    """What the model's template does not take will never work, and the text is not repeated."""
    with pytest.raises(PoisonError) as raised:
        await Chat(_Tokenizer("x"), 100).encode(asked("my secret"))
    assert "secret" not in str(raised.value)


@ignore_library_warnings
async def test_a_huge_prompt_is_refused() -> None:
    """A megabyte of text is counted and refused."""
    chat = Chat(bank_tokenizer(), 1024)
    with pytest.raises(PromptTooLarge, match="1024"):
        await chat.encode(asked("card " * 200_000))


@ignore_library_warnings
def test_a_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    """The sentence names the folder."""
    with pytest.raises(ConfigError, match=str(tmp_path)):
        load_tokenizer(tmp_path)


def test_nothing_calls_home() -> None:
    """Libraries are told before they are imported; only a hub that is wanted is reached."""
    environ = {"HF_HUB_OFFLINE": "0", "VLLM_LOGGING_LEVEL": "INFO"}
    be_discreet(environ)
    assert environ["DO_NOT_TRACK"] == environ["VLLM_NO_USAGE_STATS"] == "1"
    assert environ["HF_HUB_OFFLINE"] == environ["TRANSFORMERS_OFFLINE"] == "1"
    assert environ["VLLM_LOGGING_LEVEL"] == "INFO"
    be_discreet(environ, hub=True)
    assert "HF_HUB_OFFLINE" not in environ


_ORPHAN = """
import multiprocessing, os, signal, sys, time
from inference.orphans import end_spawned_with_parent

end_spawned_with_parent()

def wait(pipe):
    pipe.send(os.getpid())
    time.sleep(600)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    context.Process(target=wait, args=(theirs,)).start()
    print(ours.recv(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal is Linux's")
def test_a_spawned_child_ends_with_a_killed_parent(tmp_path: Path) -> None:
    """After kill -9 of a worker no engine process is left over."""
    script = tmp_path / "main.py"
    script.write_text(_ORPHAN)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": str(root), "PATH": ""},
        stdout=subprocess.PIPE,
        check=False,
        timeout=120,
    )
    child = int(done.stdout)
    gone, alive = psutil.wait_procs(_processes(child), timeout=30)
    assert not alive, gone


def _processes(pid: int) -> list[psutil.Process]:
    """Return the process ``pid``, unless it is gone or nobody has collected it yet."""
    try:
        process = psutil.Process(pid)
        return [] if process.status() == psutil.STATUS_ZOMBIE else [process]
    except psutil.NoSuchProcess:
        return []
