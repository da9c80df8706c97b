"""Requests whose answer does harm: violence, weapons, drugs, theft, fraud, hatred, self-harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from monitors.folding import Folded
from monitors.guard import Cost, Scan
from monitors.harm_model import Floats, HarmModel, shipped_harm_model
from schemas.verdicts import Action, Direction

Embed = Callable[[Sequence[str]], Floats]
_LONGEST = 1000
_LAP = 200


class Harm:
    """Block requests for help with doing harm, and leave those alone that only sound like it.

    A small network reads the embedding of the text; it was fitted on made-up sentences, each kind
    of harm beside harmless requests in the same words (``tidegate train harm``), and its card says
    how it does on others. It reads English. A text longer than 1,000 characters is read in pieces
    that overlap, and the worst of them counts. Look-alike letters are read as what they look like.

    Args:
        embed: Turns texts into unit vectors, as ``all-MiniLM-L6-v2`` does.
        model: What weighs them; by default what ships with Tidegate.
    """

    name = "harm"
    cost = Cost.EMBEDDING
    optional = True
    directions: tuple[Direction, ...] = (Direction.PROMPT,)
    action = Action.BLOCK

    def __init__(self, embed: Embed, model: HarmModel | None = None) -> None:
        self._embed = embed
        self._model = model or shipped_harm_model()
        self.version = f"2-{self._model.version}"
        self.threshold = self._model.threshold

    def scan(self, texts: Sequence[str]) -> list[Scan]:
        """Return one scan per text, in order."""
        pieces = [_pieces(Folded(text).text) for text in texts]
        vectors = self._embed([piece for of_text in pieces for piece in of_text])
        chances = iter(self._model.chance(vectors).tolist())
        return [
            Scan(max((next(chances) for _ in of_text), default=0.0), len(text))
            for text, of_text in zip(texts, pieces, strict=True)
        ]


def _pieces(text: str) -> list[str]:
    if not text.strip():
        return []
    starts = range(0, max(1, len(text) - _LAP), _LONGEST - _LAP)
    return [text[start : start + _LONGEST] for start in starts]
