"""Make the tagger of personal details that ships: sentences, fit, and the card with its figures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from inference.bank import elsewhere, questions
from infra.eval.intervals import wilson
from infra.pii.fit import Show, fit
from infra.pii.sentences import Sentence, forms, sentences
from monitors.pii_tagger import LABELS, Tagger, save_tagger
from monitors.pii_words import TOKEN, kinds_of

SENTENCES = 50_000
EPOCHS = 6
HELD_OUT = 2_000
_FOLDS = 5
_PLAIN_EVERY = 5
_NAMING = frozenset(
    {"city", "country", "nationality", "us_state", "month", "weekday", "given", "family"}
)


def train_tagger(folder: Path, seed: int = 0, show: Show = lambda *_: None) -> Tagger:
    """Fit the model, save it in ``folder`` with its card and return it; takes a minute.

    The card's figures come from a second model that was fitted without one in five of the forms,
    on sentences of just these.
    """
    folder.mkdir(parents=True, exist_ok=True)
    judged = fit(_rows(seed, SENTENCES // 2, apart=True), EPOCHS, seed, show)
    held = list(islice(sentences(seed + 1, lambda form: form % _FOLDS == 0), HELD_OUT))
    model = fit(_rows(seed, SENTENCES), EPOCHS, seed, show)
    save_tagger(model, folder)
    _write_card(folder, _figures(judged, held))
    return model


def _rows(seed: int, count: int, apart: bool = False) -> list[Sentence]:
    """Return sentences to fit on, one in five a question or an answer without anything personal."""
    plain = _plain(seed)
    filled = sentences(seed, lambda form: not apart or form % _FOLDS != 0)
    return [next(plain if n % _PLAIN_EVERY == 0 else filled) for n in range(count)]


def _plain(seed: int) -> Iterator[Sentence]:
    for one, other in zip(questions(seed), elsewhere(seed), strict=False):
        for text in (one.text, one.answer, other.text, other.answer, one.text.lower()):
            kinds = [set(kinds_of(word).split("+")) for word in TOKEN.findall(text)]
            if not any(_NAMING & of and "words" not in of for of in kinds):
                yield Sentence(text, (), -1)


def _figures(model: Tagger, held: list[Sentence]) -> dict[str, list[int]]:
    """Return for each label how many are there, found, named, and rightly named."""
    figures = {label: [0, 0, 0, 0] for label in LABELS}
    for row in held:
        found = model.spans(row.text)
        for label in LABELS:
            wanted = [s for s in row.spans if s.label == label]
            named = [s for s in found if s.label == label]
            counts = (
                len(wanted),
                sum(any(s.start < f.end and f.start < s.end for f in named) for s in wanted),
                len(named),
                sum(any(s.start < f.end and f.start < s.end for s in wanted) for f in named),
            )
            figures[label] = [a + b for a, b in zip(figures[label], counts, strict=True)]
    return figures


def _write_card(folder: Path, figures: dict[str, list[int]]) -> None:
    rows = "\n".join(
        f"| {label} | {wanted} | {_rate(found, wanted)} | {_rate(right, named)} |"
        for label, (wanted, found, named, right) in figures.items()
    )
    (folder / "README.md").write_text(
        f"""\
# tidegate-pii

A conditional random field over hashed traits of words and their neighbours that finds names,
addresses and other personal details without a form of their own. Fitted by `tidegate train pii` on
{SENTENCES:,} sentences made from {len(forms())} forms in `infra/pii/` with names, half of them made
up, from the word lists in `monitors/gazetteers/`; forms and lists were written for Tidegate.
It reads English around the details; names and addresses are of some thirty languages. Apache-2.0.

| on forms it was not fitted on | n | found (95 % Wilson) | right when named (95 % Wilson) |
| --- | --- | --- | --- |
{rows}

These forms are by the same authors as those it was fitted on, so real texts will do worse: judge it
on your own with `tidegate eval pii --data FILE`. A place, an organisation or a date is no personal
detail by itself; the guard masks persons and addresses unless a policy asks for more.
"""
    )


def _rate(hits: int, n: int) -> str:
    interval = wilson(hits, n)
    if interval is None:
        return "-"
    return f"{hits / n:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"
