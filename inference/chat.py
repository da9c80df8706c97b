"""A conversation as the tokens a model reads."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer

from inference.context import check_fits
from inference.engine import Generation
from schemas.errors import ConfigError, PoisonError

_LONG_CHARS = 20_000
_SPEAKERS = {"system": "System", "user": "User", "assistant": "Assistant"}


class Chat:
    """Turns generations into token ids, by the model's own chat template if it has one.

    Args:
        tokenizer: A transformers tokenizer.
        context_tokens: The longest prompt and answer together.
    """

    def __init__(self, tokenizer: Any, context_tokens: int) -> None:
        self.tokenizer = tokenizer
        self.context_tokens = context_tokens

    async def encode(self, generation: Generation) -> list[int]:
        """Return the prompt's token ids; a long prompt does not hold up the others.

        Raises:
            PromptTooLarge: If prompt and ``max_tokens`` exceed the context.
            PoisonError: If the model's chat template refuses the conversation.
        """
        turns = turns_of(generation)
        if sum(len(turn["content"]) for turn in turns) > _LONG_CHARS:
            tokens = await asyncio.to_thread(self._tokens, turns)
        else:
            tokens = self._tokens(turns)
        check_fits(len(tokens), generation.sampling.max_tokens, self.context_tokens)
        return tokens

    def _tokens(self, turns: list[dict[str, str]]) -> list[int]:
        if not getattr(self.tokenizer, "chat_template", None):
            return list(self.tokenizer(plain(turns)).input_ids)
        try:
            return list(
                self.tokenizer.apply_chat_template(
                    turns, add_generation_prompt=True, tokenize=True, return_dict=False
                )
            )
        except TemplateError as error:
            raise PoisonError("the model's chat template refuses this conversation") from error


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer in ``folder``; nothing is fetched and none of its code is run.

    Raises:
        ConfigError: If there is none that can be read.
    """
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"has no readable tokenizer: {error}", file=str(folder)) from error


def turns_of(generation: Generation) -> list[dict[str, str]]:
    """Return the turns to answer, with the passages before the last thing the user said."""
    turns = [{"role": turn.role, "content": turn.content} for turn in generation.messages]
    if not generation.passages:
        return turns
    numbered = [f"[{n}] {passage}" for n, passage in enumerate(generation.passages, start=1)]
    context = "\n".join(["Use these passages:", *numbered])
    asked = [turn for turn in turns if turn["role"] == "user"]
    if asked:
        asked[-1]["content"] = f"{context}\n\n{asked[-1]['content']}"
    else:
        turns.append({"role": "user", "content": context})
    return turns


def plain(turns: list[dict[str, str]]) -> str:
    r"""Return ``turns`` as a dialogue in plain text, for models without a chat template.

    >>> plain([{"role": "user", "content": "Hello"}])
    'User: Hello\nAssistant:'
    """
    lines = [f"{_SPEAKERS[turn['role']]}: {turn['content']}" for turn in turns]
    return "\n".join([*lines, "Assistant:"])
