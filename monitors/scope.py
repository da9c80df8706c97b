"""Requests outside what a deployment is for, by examples of what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, Field

from monitors.guard import Cost, Scan
from monitors.scope_model import FEWEST, Floats, fit_scope
from schemas.verdicts import Action, Direction

Embed = Callable[[Sequence[str]], Floats]


class Scope:
    """Flag a text that lies farther from the allowed topics than their examples from each other.

    It has nothing to say until a policy gives it examples.

    The score is the share of examples that lie nearer to the other examples than the text does:
    at the default threshold, one in twenty requests like the examples is flagged.

    Args:
        options: The allowed topics.
        embed: Turns texts into unit vectors.

    Attributes:
        model: What the examples show.

    Raises:
        ValueError: If all topics together have some, but fewer than 8 examples.
    """

    class Options(BaseModel):
        """What a policy allows.

        Attributes:
            allowed: Examples of requests by topic; some dozens each, as customers word them.
        """

        model_config = ConfigDict(frozen=True, extra="forbid")

        allowed: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    name = "scope"
    version = "1"
    cost = Cost.EMBEDDING
    optional = True
    directions: tuple[Direction, ...] = (Direction.PROMPT,)
    action = Action.FLAG
    threshold = 0.95

    def __init__(self, options: Options, embed: Embed) -> None:
        pairs = [(text, topic) for topic, texts in options.allowed.items() for text in texts]
        self._embed = embed
        self._is_told = bool(pairs)
        if not pairs:
            return
        if len(pairs) < FEWEST:
            raise ValueError(f"scope: {len(pairs)} examples in `allowed`; it needs {FEWEST}")
        texts, topics = zip(*pairs, strict=True)
        self.model = fit_scope(embed(texts), topics)
        self.version = f"1-{sha256(repr(pairs).encode()).hexdigest()[:12]}"

    def with_options(self, options: Options) -> Scope:
        """Return a guard of the same embedding with other topics."""
        return Scope(options, self._embed)

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per text, in order.

        Raises:
            ValueError: If no policy has said what is allowed.
        """
        if not self._is_told:
            raise ValueError("scope: the policy gives no examples in `allowed`")
        if not texts:
            return []
        scores = self.model.score(self._embed(texts))
        return [
            Scan(float(score) if text.strip() else 0.0, len(text))
            for text, score in zip(texts, scores, strict=True)
        ]
