"""Requests with personal data planted in them, and the search for it where it must not be."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from infra.pii.grammar import value
from infra.pii.values import WORDS, card_number, made_up
from monitors.checksums import is_card
from monitors.matching import Expression, Matcher
from monitors.pii_ids import is_pesel
from schemas.topics import REQUESTS, RESPONSES
from streams.log import Record

PATTERNS = ("CARD", "IBAN", "EMAIL", "SSN", "NATIONAL_ID", "PHONE", "IP", "MAC", "CRYPTO")
"""Kinds with a form of their own; all of them must be found."""
WORDED = ("PERSON", "ADDRESS")
"""Kinds that a model finds, which nobody can promise."""
ANSWER = "Noted: [CARD_1] [EMAIL_1] [PERSON_1]. Ours are 4242 4242 4242 4242 and +44 20 7946 0958."
"""What the model answers: the request's own placeholders, and data that it made up itself."""
ANSWERED = ("4242 4242 4242 4242", "+44 20 7946 0958")

_FORMS = {
    "CARD": ("My card {} was charged twice.", "Please block {} now", "card no. {}, lost today"),
    "IBAN": ("Send it to {} please.", "my iban is {}", "From account {} to another bank"),
    "EMAIL": ("Write to {} about it.", "my e-mail is {}", "contact: {}"),
    "SSN": ("My SSN is {}.", "ssn {} belongs to me", "social security number {}"),
    "NATIONAL_ID": ("My PESEL is {}.", "pesel: {}", "PESEL number {}"),
    "PHONE": ("Call me on {} tomorrow.", "my number is {}", "phone {}"),
    "IP": ("I logged in from {} yesterday.", "address {} is blocked", "ip {}"),
    "MAC": ("The terminal is {}.", "device {} fails", "mac {}"),
    "CRYPTO": ("My wallet is {}.", "coins sent to {} are missing", "wallet {}"),
    "PERSON": ("My name is {}.", "I am {} and I need help.", "Dear team, regards, {}"),
    "ADDRESS": ("I live at {}.", "Please send the card to {}.", "My new address is {}."),
}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@dataclass
class Found:
    """Where planted values were seen outside the places where they may be.

    Attributes:
        places: Occurrences by kind of value and place.
        texts: How many records or rows were searched, by place.
        values: Which values were seen, by kind.
    """

    places: Counter[tuple[str, str]] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    values: dict[str, set[str]] = field(default_factory=dict)


def requests(many: int, seed: int) -> Iterator[tuple[dict[str, Any], dict[str, str]]]:
    """Yield requests, and with each the values planted in it by their kind.

    Every request has a card, an e-mail address, a name and one more kind in turn; some values stand
    in passages and in earlier turns of a conversation.
    """
    rng = Random(f"planted {seed}")
    kinds = (*PATTERNS, *WORDED)
    for number in range(many):
        chosen = dict.fromkeys(("CARD", "EMAIL", "PERSON", kinds[number % len(kinds)]))
        planted = {kind: _value(rng, kind) for kind in chosen}
        said = [rng.choice(_FORMS[kind]).format(text) for kind, text in planted.items()]
        request: dict[str, Any] = {"request_id": f"planted-{seed}-{number:06d}"}
        if number % 4 == 1:
            request |= {"prompt": said[0], "passages": said[1:]}
        elif number % 4 == 2:
            turns = [{"role": "user", "content": text} for text in said]
            request["messages"] = [*turns[:1], {"role": "assistant", "content": "Ok."}, *turns[1:]]
        else:
            request["prompt"] = " ".join(said) if number % 2 else "\n".join(said)
        yield request, planted


class Search:
    """Looks for many values in texts at once, as they were written and as JSON writes them.

    Args:
        planted: Kinds by value.
    """

    def __init__(self, planted: Mapping[str, str]) -> None:
        forms: dict[str, str] = {}
        for text, kind in planted.items():
            for written in (text, json.dumps(text)[1:-1], text.replace("\n", "\\\\n")):
                forms[written] = kind
            compact = re.sub(r"[ .-]", "", text)
            if compact.isdigit() and len(compact) >= 9:
                forms[compact] = kind
        self._forms = tuple(forms.items())
        self._matcher = Matcher(
            [Expression(kind, regex=re.escape(form)) for form, kind in self._forms]
        )
        self.found = Found()

    def look(self, text: str, place: str) -> None:
        """Count the values that stand in ``text``."""
        self.found.texts[place] += 1
        for number in self._matcher.seen(text):
            form, kind = self._forms[number]
            self.found.places[kind, place] += 1
            self.found.values.setdefault(kind, set()).add(form)

    def look_at_record(self, record: Record) -> None:
        """Count the values in a record's key and value, but for where they belong.

        They belong on the request topic, and in the restored text of a released response.
        """
        topic = record.partition.topic
        if topic == REQUESTS.name:
            return
        said = (record.value or b"").decode("utf-8", "replace")
        if topic == RESPONSES.name and said:
            event = json.loads(said)
            event.pop("text", None)
            said = json.dumps(event, ensure_ascii=False)
        self.look((record.key or b"").decode("utf-8", "replace") + " " + said, topic)


def kinds_by_value(planted: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the kind of each value, those of the answers included."""
    found = {text: kind for values in planted for kind, text in values.items()}
    return found | dict.fromkeys(ANSWERED, "ANSWER")


def _value(rng: Random, kind: str) -> str:
    digits = "".join(rng.choice("0123456789") for _ in range(40))
    if kind == "CARD":
        return next(card for _ in range(1000) if is_card(card := card_number(rng)))
    if kind == "IBAN":
        body = f"37040044{digits[:10]}"
        check = 98 - int(f"{body}131400") % 97
        return f"DE{check:02}{body}"
    if kind == "EMAIL":
        name, host = (made_up(rng, "family", "english").lower() for _ in range(2))
        return f"{name}.{digits[:4]}@{host}.example.com".replace("'", "")
    if kind == "SSN":
        return f"{rng.randint(100, 599)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}"
    if kind == "NATIONAL_ID":
        return next(n for last in "0123456789" if is_pesel(n := digits[:10] + last))
    if kind == "PHONE":
        return f"+44 20 {rng.randint(7000, 7999)} {digits[:4]}"
    if kind == "IP":
        return f"8.{rng.randint(10, 250)}.{rng.randint(10, 250)}.{rng.randint(10, 250)}"
    if kind == "MAC":
        return ":".join(f"{rng.randint(0, 255):02x}" for _ in range(6))
    if kind == "CRYPTO":
        return _bitcoin_address(rng)
    if kind == "PERSON":
        return f"{WORDS['first'](rng)} {WORDS['last'](rng)}"
    return value(rng, "street", WORDS)


def _bitcoin_address(rng: Random) -> str:
    from hashlib import sha256

    payload = b"\0" + rng.randbytes(20)
    number = int.from_bytes(payload + sha256(sha256(payload).digest()).digest()[:4], "big")
    text = ""
    while number:
        number, place = divmod(number, 58)
        text = _BASE58[place] + text
    return "1" + text
