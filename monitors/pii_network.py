"""Addresses of machines and pages, and keys that prove who one is on paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from ipaddress import ip_address

from monitors.matching import Expression
from monitors.pii_forms import Form, Place, as_matched

_BASE58 = {
    char: n for n, char in enumerate("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
}
_OTHER_DOTTED = re.compile(r"(?:version|ver|release|v|section|build|chapter)\.? ?$", re.IGNORECASE)


def is_public_ip(value: str) -> bool:
    """Return whether ``value`` is an address (RFC 791, RFC 4291) that can tell who one is.

    Addresses of private networks and of the machine itself (RFC 1918, RFC 6890) tell nothing.

    >>> is_public_ip("8.8.8.8"), is_public_ip("2a00:1450::1"), is_public_ip("10.0.0.1")
    (True, True, False)
    """
    try:
        address = ip_address(value)
    except ValueError:
        return False
    return not (address.is_private or address.is_loopback or address.is_unspecified)


def is_bitcoin_address(value: str) -> bool:
    """Return whether ``value`` is a Bitcoin address of the old form (Base58Check).

    >>> is_bitcoin_address("1BoatSLRHtKNngkdXEeobR76b53LETtpyT")
    True
    """
    number = 0
    for char in value:
        if char not in _BASE58:
            return False
        number = number * 58 + _BASE58[char]
    if number >= 1 << 200:
        return False
    raw = number.to_bytes(25, "big")
    return sha256(sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def _ip_places(match: re.Match[str]) -> Iterator[Place]:
    before = match.string[max(0, match.start() - 10) : match.start()]
    if is_public_ip(match[0]) and not _OTHER_DOTTED.search(before):
        yield match.span()


def _coins(match: re.Match[str]) -> Iterator[Place]:
    if is_bitcoin_address(match[0]):
        yield match.span()


def _page(match: re.Match[str]) -> Iterator[Place]:
    yield match.start(), match.start() + len(match[0].rstrip(".,;:!?)'\""))


IP_FORMS = (
    Form(
        "IP",
        0.8,
        Expression(
            "IP4",
            regex=r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d|-\d)",
            seed=r"\d\.\d{1,3}\.\d{1,3}\.\d",
        ),
        _ip_places,
    ),
    Form(
        "IP",
        0.8,
        Expression(
            "IP6",
            regex=r"(?<![\w:.])(?:[0-9A-F]{1,4}:){1,7}(?::?[0-9A-F]{1,4}){1,7}(?![\w:])",
            seed=r"[0-9A-F]{1,4}:[0-9A-F]{0,4}:[0-9A-F]",
            caseless=True,
        ),
        _ip_places,
    ),
    Form(
        "MAC",
        0.8,
        Expression(
            "MAC",
            regex=r"(?<![\w:-])[0-9A-F]{2}(?:(?::[0-9A-F]{2}){5}|(?:-[0-9A-F]{2}){5})(?![\w:-])",
            seed=r"[0-9A-F]{2}[:-][0-9A-F]{2}[:-][0-9A-F]{2}[:-][0-9A-F]{2}",
            caseless=True,
        ),
        as_matched,
    ),
    Form(
        "CRYPTO",
        0.95,
        Expression(
            "CRYPTO",
            regex=r"(?<!\w)[13][1-9A-HJ-NP-Za-km-z]{25,34}(?!\w)",
            seed=r"[13][1-9A-HJ-NP-Za-km-z]{25}",
        ),
        _coins,
    ),
)

URL_FORM = Form(
    "URL",
    0.6,
    Expression(
        "URL",
        regex=(
            r"(?<![\w@.-])(?:https?://[^\s<>\"')\]]{3,2000}|www\.[\w-]{1,63}\.[^\s<>\"')\]]{2,2000}"
            r"|(?:[A-Z0-9-]{1,63}\.){1,4}(?:com|org|net|edu|gov|info|biz|io|co\.uk|de|fr|eu)"
            r"(?:/[^\s<>\"')\]]{0,2000})?(?![\w@-]))"
        ),
        seed=r"https?://[^\s]|www\.[\w-]|\.(?:com|org|net|edu|gov|info|biz|io|co\.uk|de|fr|eu)",
        caseless=True,
    ),
    _page,
)
