"""Whether a key is whole: the checks that some issuers build into theirs."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Callable

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def ends_in_crc32(token: str) -> bool:
    """Return whether the last six characters are the CRC-32 of those after the prefix, in base 62.

    So are those of GitHub and npm.

    References:
        "Behind GitHub's new authentication token formats", GitHub engineering blog (2021).

    >>> ends_in_crc32("ghp_" + "a1B2c3D4e5" * 3 + "2kqXpW")
    False
    """
    body, check = token.partition("_")[2][:-6], token[-6:]
    return bool(body) and check == crc32_base62(body)


def crc32_base62(body: str) -> str:
    """Return the CRC-32 of ``body`` as six digits to the base 62.

    >>> crc32_base62("")
    '000000'
    """
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits


def is_base58check(key: str) -> bool:
    """Return whether ``key`` is Base58 whose last four bytes are a double SHA-256 of the rest.

    So are Bitcoin's private keys (WIF) and extended ones (BIP 32).

    >>> is_base58check("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ")
    True
    """
    number = 0
    for char in key:
        place = _BASE58.find(char)
        if place < 0:
            return False
        number = number * 58 + place
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    digest = hashlib.sha256(hashlib.sha256(raw[:-4]).digest()).digest()
    return len(raw) > 4 and digest[:4] == raw[-4:]


def is_bech32(key: str) -> bool:
    """Return whether the checksum of BIP 173 holds, as it does in age and Nostr keys.

    >>> is_bech32("A12UEL5L"), is_bech32("A12UEL5M")
    (True, False)
    """
    prefix, one, data = key.lower().rpartition("1")
    values = [_BECH32.find(char) for char in data]
    if not one or len(data) < 6 or min(values) < 0:
        return False
    expanded = [ord(char) >> 5 for char in prefix] + [0] + [ord(char) & 31 for char in prefix]
    check = 1
    for value in (*expanded, *values):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check == 1


def is_jwt(token: str) -> bool:
    """Return whether a token's first part is a header as RFC 7519 wants it: JSON with ``alg``.

    >>> is_jwt("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"), is_jwt("eyJhYmM.eyJh.x")
    (True, False)
    """
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return False
    return isinstance(header, dict) and "alg" in header


CHECKS: dict[str, Callable[[str], bool]] = {
    "GITHUB_TOKEN": ends_in_crc32,
    "NPM_TOKEN": ends_in_crc32,
    "CRYPTO_KEY": lambda key: is_bech32(key) if key.startswith("nsec1") else is_base58check(key),
    "AGE_KEY": is_bech32,
    "JWT": is_jwt,
}
"""The check of each kind of key that has one."""
