"""Numbers and addresses by which one pays and is reached: cards, accounts, telephones, e-mail."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitors.checksums import iban_length, is_card, is_iban
from monitors.matching import Expression
from monitors.pii_forms import Form, Place, as_matched

_EXPRESSIONS = (
    Expression(
        "CARD",
        regex=r"(?<![A-Za-z0-9+])\d(?:[ .-]{0,3}\d){11,}+",
        seed=r"\d(?:[ .-]{0,3}\d){11}",
    ),
    Expression(
        "IBAN",
        regex=r"(?<![A-Z0-9])[A-Z]{2}\d\d(?=(?P<rest>(?:[ -]?[A-Z0-9]){11,30}+))",
        seed=r"[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]){11}",
        caseless=True,
    ),
    Expression(
        "EMAIL",
        regex=(
            r"(?<![\w.+%'-])[\w.+%'-]{1,64}@"
            r"(?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.){1,8}[A-Z]{2,24}(?![\w-])"
        ),
        seed=r"[\w.+%'-]@[A-Z0-9][A-Z0-9-]{0,62}\.[A-Z]",
        caseless=True,
    ),
    Expression(
        "SSN",
        regex=r"(?<![\w.+-])(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?!\w|[.-]\d)",
        seed=r"\d{3}-\d\d-\d{4}",
    ),
    Expression(
        "PHONE",
        regex=r"(?<![\w+])\+[ (]?[1-9](?:[ ./()-]{0,3}\d){6,14}+(?!\d)",
        seed=r"\+[ (]?[1-9](?:[ ./()-]{0,3}\d){6}",
    ),
    Expression(
        "PHONE_LOCAL",  # North America: area, exchange, line
        regex=(
            r"(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d\d\)[ -]?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}"
            r"(?!\w|[.,-]\d)"
        ),
        seed=r"[2-9]\d\d[ .)-]{1,2}\d{3}[ .-]\d{4}",
    ),
    Expression(
        "PHONE_LOCAL",  # elsewhere: a trunk 0 and groups of digits
        regex=r"(?<![\w.,+/-])\(?0[1-9]\d{0,4}\)?(?:[ /.-]{1,2}\d{2,8}){1,5}+(?!\w|[.,/-]\d)",
        seed=r"0[1-9]\d{0,4}\)?[ /.-]{1,2}\d\d",
    ),
    Expression(
        "PHONE_LOCAL",  # any number that its sentence calls a telephone number
        regex=(
            r"\b(?:phone|tel(?:ephone)?|mobile|cell(?:phone)?|whatsapp|fax|call|text|ring|reach)\b"
            r"(?P<between>[^\d\n]{0,24})(?P<value>\(?\d(?:[ ./()-]{0,2}\d){6,14}+)(?!\w|[.,]\d)"
        ),
        seed=(
            r"\b(?:phone|tel(?:ephone)?|mobile|cell(?:phone)?|whatsapp|fax|call|text|ring|reach)\b"
            r"[^\d\n]{0,24}\d(?:[ ./()-]{0,2}\d){6}"
        ),
        caseless=True,
    ),
)
_GROUP = re.compile(r"\d(?:[ .-]{1,3}\d(?!\d))++|\d++")
_NO_DIGIT = re.compile(r"\D")
_DATE = re.compile(r"\(?\d\d[./ -]\d\d[./ -](?:19|20)\d\d")
_OTHER_NUMBER = re.compile(
    r"account|amount|card|code|iban|invoice|order|pin\b|reference|transaction|[$]|usd|eur|gbp",
    re.IGNORECASE,
)
# ITU E.164: countries of one digit, of two, and the first two digits of those of three.
_COUNTRY = re.compile(
    r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|(?:2[1-689]|3[578]|42|5[09]|6[789]|8[0578]|9[67])\d|99[2-68]"
)


def _cards(match: re.Match[str]) -> Iterator[Place]:
    """Yield the card numbers in a run of digit groups; a run may hold a date or a code as well."""
    groups = list(_GROUP.finditer(match.string, *match.span()))
    if match.string[match.end() : match.end() + 1].isalnum():
        del groups[-1]
    first = 0
    while first < len(groups):
        last = _card_from(groups, first)
        if last is None:
            first += 1
            continue
        yield groups[first].start(), groups[last].end()
        first = last + 1


def _card_from(groups: Sequence[re.Match[str]], first: int) -> int | None:
    """Return the group that ends the longest card number starting at group ``first``, if any.

    People write it whole, as 4-4-4-4 or 4-6-5, or digit by digit: no group but the last is short.
    """
    number, best = "", None
    for last in range(first, len(groups)):
        digits = _NO_DIGIT.sub("", groups[last][0])
        number += digits
        if len(number) > 19:
            break
        if is_card(number):
            best = last
        if len(digits) < 3:
            break
    return best


def _ibans(match: re.Match[str]) -> Iterator[Place]:
    written = match[0] + match["rest"]
    length = iban_length(written[:2])
    places = [place for place, char in enumerate(written) if char.isalnum()]
    if length is None or len(places) < length:
        return
    end = places[length - 1] + 1
    whole = not match.string[match.start() + end : match.start() + end + 1].isalnum()
    if whole and is_iban("".join(written[place] for place in places[:length])):
        yield match.start(), match.start() + end


def _emails(match: re.Match[str]) -> Iterator[Place]:
    lead = len(match[0]) - len(match[0].lstrip("'.-"))
    yield match.start() + lead, match.end()


def _international(match: re.Match[str]) -> Iterator[Place]:
    if _COUNTRY.match("".join(char for char in match[0] if char.isdigit())):
        yield match.span()


def _national(match: re.Match[str]) -> Iterator[Place]:
    named = match.groupdict().get("value") is not None
    place = match.span("value") if named else match.span()
    digits = sum(char.isdigit() for char in match.string[slice(*place)])
    if named and _OTHER_NUMBER.search(match["between"]):
        return
    if (7 if named else 10) <= digits <= 15 and not _DATE.match(match.string, place[0]):
        yield place


_OWN = {
    "CARD": ("CARD", 1.0, _cards),
    "IBAN": ("IBAN", 1.0, _ibans),
    "EMAIL": ("EMAIL", 0.95, _emails),
    "SSN": ("SSN", 0.8, as_matched),
    "PHONE": ("PHONE", 0.9, _international),
    "PHONE_LOCAL": ("PHONE", 0.7, _national),
}
NUMBER_FORMS = tuple(
    Form(_OWN[item.label][0], _OWN[item.label][1], item, _OWN[item.label][2])
    for item in _EXPRESSIONS
)
