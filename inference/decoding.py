"""A batch of answers, token by token, on a transformers model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from schemas.requests import Sampling

Tell = Callable[[int, float], bool]
"""Takes a row's next token and its log-probability; False when the row is over."""


@dataclass
class Row:
    """One answer of a batch.

    Args:
        prompt: The prompt's token ids.
        sampling: How to choose tokens.
        tell: Gets every token.
        over: Whether nobody wants the rest; asked before each step.
    """

    prompt: Sequence[int]
    sampling: Sampling
    tell: Tell
    over: Callable[[], bool]
    generator: torch.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.generator = torch.Generator().manual_seed(self.sampling.seed)


@torch.inference_mode()
def decode(model: Any, pad: int, rows: Sequence[Row]) -> None:
    """Answer all ``rows`` side by side, until each is over.

    Prompts are padded on the left, so that all rows take their next token in one step; a row that
    is over leaves the batch.
    """
    live, cache = [row for row in rows if not row.over()], None
    longest = max((len(row.prompt) for row in live), default=0)
    pads = [longest - len(row.prompt) for row in live]
    tokens = torch.tensor([[pad] * n + list(r.prompt) for n, r in zip(pads, live, strict=True)])
    mask = torch.tensor([[0] * n + [1] * (longest - n) for n in pads])
    tokens, mask = tokens.to(model.device), mask.to(model.device)
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    while live:
        out = model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=places,
            past_key_values=cache,
            use_cache=True,
        )
        cache = out.past_key_values
        logits = out.logits[:, -1].float().cpu()
        chosen = [choose(row, logits[at]) for at, row in enumerate(live)]
        keep = [
            at
            for at, (row, (token, logprob)) in enumerate(zip(live, chosen, strict=True))
            if not row.over() and row.tell(token, logprob)
        ]
        if len(keep) < len(live) and keep:
            cache.batch_select_indices(torch.tensor(keep, device=model.device))
        live = [live[at] for at in keep]
        tokens = torch.tensor([[chosen[at][0]] for at in keep], device=model.device)
        mask = torch.nn.functional.pad(mask[keep], (0, 1), value=1)
        places = places[keep, -1:] + 1


def choose(row: Row, logits: torch.Tensor) -> tuple[int, float]:
    """Return the row's next token, by its sampling, and its log-probability in the model."""
    logprobs = logits.log_softmax(-1)
    if row.sampling.temperature == 0:
        token = int(logits.argmax())
    else:
        weights = (logits / row.sampling.temperature).softmax(-1)
        token = _draw(weights, row.sampling.top_p, row.generator)
    return token, float(logprobs[token])


def _draw(weights: torch.Tensor, top_p: float, generator: torch.Generator) -> int:
    """Return a token drawn from the smallest set of the likeliest that holds ``top_p``."""
    ordered, order = weights.sort(descending=True)
    ordered[ordered.cumsum(0) - ordered >= top_p] = 0
    return int(order[torch.multinomial(ordered, 1, generator=generator)])
