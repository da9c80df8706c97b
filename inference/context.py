"""Whether a prompt and its answer fit a model."""

from __future__ import annotations

from schemas.errors import PromptTooLarge


def check_fits(prompt_tokens: int, max_tokens: int, context_tokens: int) -> None:
    """Refuse a prompt whose longest answer would not fit.

    Raises:
        PromptTooLarge: With the three numbers.
    """
    if prompt_tokens + max_tokens > context_tokens:
        raise PromptTooLarge(
            f"{prompt_tokens} tokens of prompt and {max_tokens} of answer"
            f" exceed the model's context of {context_tokens}"
        )
