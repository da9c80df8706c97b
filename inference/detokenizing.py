"""Text out of tokens that arrive one by one."""

from __future__ import annotations

from typing import Any

_UNFINISHED = "\ufffd"


class Detokenizer:
    """Turns a growing list of tokens into pieces of text, none of which is taken back.

    A character whose bytes are spread over several tokens comes out with the last of them.

    Args:
        tokenizer: A transformers tokenizer.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._start = 0
        self._told = 0

    def push(self, token: int) -> str:
        """Return the text that ``token`` completes; empty inside a character."""
        self._tokens.append(token)
        before, after = self._text(self._told), self._text(len(self._tokens))
        if after.endswith(_UNFINISHED):
            return ""
        return self._advance(before, after)

    def flush(self) -> str:
        """Return what is left, an incomplete character as the replacement character."""
        return self._advance(self._text(self._told), self._text(len(self._tokens)))

    def _advance(self, before: str, after: str) -> str:
        # The tokens told last stay in view: how a token is written depends on the one before it.
        self._start, self._told = self._told, len(self._tokens)
        return after[len(before) :]

    def _text(self, end: int) -> str:
        text: str = self._tokenizer.decode(
            self._tokens[self._start : end], skip_special_tokens=True
        )
        return text
