"""What streams are drawn from: a bank's questions, other domains', and those out of any scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from infra.eval.rows import read_rows
from infra.eval.split import half
from infra.vectors import Floats, vectors_of
from schemas.errors import ConfigError

Part = Literal["fit", "report"]

OUT = "oos"
_FINANCE = """
account_blocked apr application_status balance bill_balance bill_due card_declined credit_limit
credit_limit_change credit_score damaged_card expiration_date freeze_account improve_credit_score
interest_rate international_fees min_payment new_card order_checks pay_bill pin_change
redeem_rewards replacement_card_duration report_fraud report_lost_card rewards_balance routing
spending_history transactions transfer
"""
FINANCE = frozenset(_FINANCE.split())
"""CLINC150's intents of the domains banking and credit cards: no change for a bank."""
_FEWEST = 200


class Question(BaseModel):
    """A question and its intent."""

    text: str
    label: str


@dataclass(frozen=True)
class Pools:
    """Texts as vectors; rows of ``texts`` are the usual ones, then other domains', then unknown.

    Attributes:
        reference: What references are drawn from, shape (n, width); none of it is in streams.
        intents: The intent of each of those.
        texts: What streams are drawn from, shape (m, width).
        labels: The intent of each of those, numbered from 0, shape (usual,) for the usual ones.
        names: What the numbers stand for.
        usual, other, unknown: How many rows of each there are.
    """

    reference: Floats
    intents: npt.NDArray[np.str_]
    texts: Floats
    labels: npt.NDArray[np.intp]
    names: tuple[str, ...]
    usual: int
    other: int
    unknown: int


def read_pools(
    folder: Path, part: Part, cache: Path, show: Callable[[str, int, int], None]
) -> Pools:
    """Return the pools of ``folder``; streams come from one half of the texts, references not.

    Args:
        folder: Holds ``banking77.jsonl`` and ``clinc150.jsonl``.
        part: The half, by the digest of the text, that streams are drawn from.
        cache: Where vectors are kept.
        show: Is told file, texts read and texts to read.

    Raises:
        ConfigError: If a file cannot be used or has too few texts.
    """
    bank = list(dict.fromkeys((q.text, q.label) for q in _read(folder, "banking77.jsonl")))
    more = [
        (q.text, q.label)
        for q in _read(folder, "clinc150.jsonl")
        if q.label not in FINANCE and half(q.text) == part
    ]
    of_bank = vectors_of([t for t, _ in bank], cache, lambda n, of: show("banking77", n, of))
    of_more = vectors_of([t for t, _ in more], cache, lambda n, of: show("clinc150", n, of))
    streamed = np.array([half(text) == part for text, _ in bank])
    intents = np.array([label for _, label in bank])
    unknown = np.array([label == OUT for _, label in more])
    counts = int(streamed.sum()), int((~unknown).sum()), int(unknown.sum())
    if min(counts[:2], default=0) < _FEWEST or not counts[2] or (~streamed).sum() < _FEWEST:
        raise ConfigError(f"has fewer than {_FEWEST} texts of a kind in a half", file=str(folder))
    names, labels = np.unique(intents[streamed], return_inverse=True)
    return Pools(
        reference=of_bank[~streamed],
        intents=intents[~streamed],
        texts=np.concatenate([of_bank[streamed], of_more[~unknown], of_more[unknown]]),
        labels=labels,
        names=tuple(names.tolist()),
        usual=counts[0],
        other=counts[1],
        unknown=counts[2],
    )


def _read(folder: Path, name: str) -> list[Question]:
    return read_rows(folder / name, Question)
