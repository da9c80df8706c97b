"""Card numbers and IBANs that belong to nobody but pass every checksum."""

from __future__ import annotations

from random import Random

_CARD_PREFIXES = ("4", "51", "53", "55")
_CARD_DIGITS = 16
_IBAN_DIGITS = {"DE": 18, "AT": 16, "BE": 12}


def card_number(rng: Random) -> str:
    """Return a 16-digit card number with a valid Luhn digit, written as people write it.

    >>> card_number(Random(1))
    '5158-0174-3248-3678'
    """
    body = rng.choice(_CARD_PREFIXES)
    body += _digits(_CARD_DIGITS - 1 - len(body), rng)
    number = body + str(luhn_digit(body))
    return rng.choice(("", " ", "-")).join(number[at : at + 4] for at in range(0, 16, 4))


def luhn_digit(body: str) -> int:
    """Return the digit that completes ``body`` so that the Luhn sum is a multiple of ten.

    >>> luhn_digit("411111111111111")
    1
    """
    total = 0
    for index, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if index % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def iban(rng: Random) -> str:
    """Return an IBAN with valid check digits, in groups of four or in one.

    >>> iban(Random(2))
    'DE34 0318 8220 6968 8539 59'
    """
    country = rng.choice(tuple(_IBAN_DIGITS))
    body = _digits(_IBAN_DIGITS[country], rng)
    if country == "BE":
        body = body[:10] + f"{int(body[:10]) % 97 or 97:02d}"
    number = country + iban_check_digits(country, body) + body
    if rng.random() < 0.5:
        return number
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def iban_check_digits(country: str, body: str) -> str:
    """Return the two check digits of ISO 13616 for an account ``body`` of ``country``.

    >>> iban_check_digits("DE", "370400440532013000")
    '89'
    """
    text = "".join(str(int(letter, 36)) for letter in f"{body}{country}00")
    return f"{98 - int(text) % 97:02d}"


def _digits(count: int, rng: Random) -> str:
    return "".join(rng.choices("0123456789", k=count))
