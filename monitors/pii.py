"""Personal data by pattern: what has a form of its own, and best a checksum as well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from monitors.guard import Scan
from monitors.patterns import Hit, PatternGuard
from monitors.pii_ids import ID_FORMS
from monitors.pii_network import IP_FORMS, URL_FORM
from monitors.pii_numbers import NUMBER_FORMS
from monitors.spans import disjoint
from monitors.text import Text
from schemas.verdicts import Action, Direction, Span

PiiLabel = Literal[
    "CARD", "IBAN", "EMAIL", "SSN", "NATIONAL_ID", "PHONE", "IP", "MAC", "CRYPTO", "URL"
]
KINDS: tuple[PiiLabel, ...] = get_args(PiiLabel)
_TELEPHONES = tuple(form for form in NUMBER_FORMS if form.label == "PHONE")
_OTHERS = tuple(form for form in NUMBER_FORMS if form.label != "PHONE")
_FORMS = (*_OTHERS, *ID_FORMS, *IP_FORMS, URL_FORM, *_TELEPHONES)


class Pii(PatternGuard):
    """Find cards, accounts, e-mail addresses, telephone and identity numbers, for masking.

    Cards must have a brand's prefix and length and pass Luhn's check, IBANs their country's length
    and the check modulo 97, identity numbers of states their own check, so that order numbers and
    the like are left alone. Telephone numbers have no checksum: international ones need a
    country's code, national ones the shape of one or a word that says so.

    >>> Pii().scan(["my card is 4111 1111 1111 1111, not 4111 1111 1111 1112"])[0].spans
    (Span(start=11, end=30, label='CARD'),)
    """

    class Options(BaseModel):
        """What a policy may set.

        Args:
            labels: The kinds of data that are looked for; pages (``URL``) only if asked for.
        """

        model_config = ConfigDict(frozen=True, extra="forbid")

        labels: tuple[PiiLabel, ...] = tuple(kind for kind in KINDS if kind != "URL")

    name = "pii"
    version = "2"
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.PASSAGE, Direction.ANSWER)
    action = Action.MASK
    threshold = 0.5

    def __init__(self, options: Options = Options()) -> None:  # noqa: B008 - frozen
        self._forms = {
            form.expression.label: form for form in _FORMS if form.label in options.labels
        }
        self.expressions = [form.expression for form in _FORMS if form.label in options.labels]

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``; its score is that of the surest find."""
        found: list[Span] = []
        score = 0.0
        for kind, match, source in hits:
            form = self._forms[kind]
            for start, end in form.places(match):
                found.append(source.span(start, end, form.label))
                score = max(score, form.sureness)
        chars = len(text.original)
        return Scan(score, chars, disjoint(found, chars))
