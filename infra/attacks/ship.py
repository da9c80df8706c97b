"""The weights that ship: fitted, judged on texts written apart, and described in a card."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from infra.attacks.corpus import Example
from infra.attacks.given import Part, at_most, given
from infra.attacks.held import held_documents, held_instructions
from infra.attacks.train import FLAGGED_RATE, Examples, written
from infra.eval.intervals import wilson
from monitors.attack_model import AttackModel, save_attack_model
from monitors.injection import Injection

GIVEN_MAX = 3000
"""Rows of one source that are used; more of the same teach nothing."""


def train_injection(
    folder: Path,
    data: Sequence[Path] = (),
    benign: Sequence[Path] = (),
    part: Part = "all",
    seed: int = 0,
) -> AttackModel:
    """Fit the model, save it in ``folder`` with its card and return it; takes minutes.

    Args:
        folder: Where to.
        data: Files of ``text``, ``label`` and ``source`` beside the written examples.
        benign: Files of texts that are no attack.
        part: The half of their texts to fit on, by the fixed split, or all.
        seed: The same seed, the same weights, with the same files and the same Python.

    Raises:
        ConfigError: Naming file and line, if a file cannot be read.
    """
    rows = at_most(given(data, benign, part), GIVEN_MAX)
    examples = [*written(seed), *rows]
    model = Examples(examples).model(range(len(examples)), seed)
    folder.mkdir(parents=True, exist_ok=True)
    save_attack_model(model, folder)
    _write_card(folder, model, examples, rows, part)
    return model


def _write_card(
    folder: Path,
    model: AttackModel,
    examples: Sequence[Example],
    rows: Sequence[Example],
    part: Part,
) -> None:
    of_sources = Counter((row.source, row.attack) for row in rows)
    listed = "\n".join(
        f"| {source} | {'attacks' if attack else 'harmless'} | {count} |"
        for (source, attack), count in sorted(of_sources.items())
    )
    whose = {"all": "all texts", "fit": "the fit half", "report": "the report half"}[part]
    table = (
        f"""
| from files ({whose} of each, at most {GIVEN_MAX:,} a source) | are | texts |
| --- | --- | --- |
{listed}
"""
        if rows
        else "No other text was used.\n"
    )
    attacks = sum(one.attack for one in examples) - sum(row.attack for row in rows)
    (folder / "README.md").write_text(
        f"""\
# tidegate-injection

A linear model over hashed patterns of words, of their classes and of phrases, which takes the
worst stretch of a text. Version {model.version}, fitted by `tidegate train injection` under
Python {platform.python_version()}; Apache-2.0.

It was fitted on {len(examples) - len(rows):,} texts, {attacks:,} of them attacks, that grammars in
`infra/attacks/` and `infra/pii/` write, on words of the bank's model, and on the language
reference that comes with Python; the grammars were written for Tidegate.
{table}
The guard speaks where {FLAGGED_RATE:.0%} of harmless texts of a kind that was not fitted on are
flagged, as the mean over kinds.

| texts of other templates than those fitted on | n | flagged (95 % Wilson) |
| --- | --- | --- |
{_judged(model)}

These templates are by the authors of the grammars, so others' texts will do worse: judge it on
your own with `tidegate eval injection --data FILE`. It reads English best; of other languages it
knows little more than the words for passwords and instructions. What only a system prompt makes an
attack, such as a question on a topic that was forbidden, it cannot see.
"""
    )


def _judged(model: AttackModel) -> str:
    kinds: dict[str, list[Example]] = {}
    names = {
        ("held instructions", False): "ordinary requests and statements",
        ("held instructions", True): "attacks in a prompt",
        ("held documents", False): "documents",
        ("held documents", True): "documents with an order to the model",
    }
    for example in (*held_instructions(), *held_documents()):
        kinds.setdefault(names[example.source, example.attack], []).append(example)
    guard = Injection(model)
    lines = []
    for name, examples in kinds.items():
        flagged = sum(
            scan.score >= guard.threshold for scan in guard.scan([one.text for one in examples])
        )
        low, high = wilson(flagged, len(examples)) or (0.0, 1.0)
        share = flagged / len(examples)
        lines.append(f"| {name} | {len(examples)} | {share:.3f} ({low:.3f} to {high:.3f}) |")
    return "\n".join(lines)
