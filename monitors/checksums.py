"""Numbers that prove themselves: payment cards and bank accounts."""

from __future__ import annotations

import re

# Brand prefixes and lengths as the card schemes publish them (ISO/IEC 7812 issuer numbers).
_BRANDS = (
    (r"4", {13, 16, 19}),  # Visa
    (r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720", {16}),  # Mastercard
    (r"3[47]", {15}),  # American Express
    (r"6011|64[4-9]|65", {16, 19}),  # Discover
    (r"30[0-5]|309|3[689]", {14, 16, 19}),  # Diners Club
    (r"35", {16, 19}),  # JCB, and what it may yet assign
    (r"2131|1800", {15}),  # JCB, old
    (r"62", {16, 17, 18, 19}),  # UnionPay
    (r"50(?:18|20|38)|5[6-8]|6304|67", set(range(12, 20))),  # Maestro
)
_PREFIXES = {
    length: re.compile("|".join(prefix for prefix, lengths in _BRANDS if length in lengths))
    for length in range(12, 20)
}

# Lengths by country, ISO 13616 (SWIFT's IBAN registry).
_IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


def is_card(digits: str) -> bool:
    """Return whether ``digits`` are a card number of a known brand.

    >>> is_card("4111111111111111"), is_card("4111111111111112"), is_card("9111111111111111")
    (True, False, False)
    """
    prefixes = _PREFIXES.get(len(digits))
    return prefixes is not None and prefixes.match(digits) is not None and passes_luhn(digits)


def passes_luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others.

    References:
        H. P. Luhn, "Computer for verifying numbers", US patent 2,950,048 (1960).
    """
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def iban_length(country: str) -> int | None:
    """Return how many characters an account of ``country`` has; None where there are no IBANs."""
    return _IBAN_LENGTHS.get(country.upper())


def is_iban(compact: str) -> bool:
    """Return whether ``compact``, an IBAN without spaces, has the right length and checksum.

    References:
        ISO 13616 and ISO/IEC 7064 (MOD 97-10).

    >>> is_iban("GB82WEST12345698765432"), is_iban("GB82WEST12345698765433")
    (True, False)
    """
    if iban_length(compact[:2]) != len(compact):
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1
