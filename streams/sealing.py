"""Sealing: what must travel in an event but be read by nobody on the way.

AES-GCM (NIST SP 800-38D) under the settings' key. The nonce is derived from the plaintext by HMAC,
as in synthetic-IV constructions (RFC 5297's idea), so that a record read again makes the same event
byte for byte; equal plaintexts in the same context are therefore recognisable as equal, and nothing
else is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.errors import ConfigError, DecodeError

KEY_BYTES = 32
_NONCE_BYTES = 12


class Seal:
    """Seals and opens bytes under one key.

    Args:
        key: 32 bytes.

    Raises:
        ConfigError: If the key has another length.

    >>> seal = Seal(bytes(32))
    >>> seal.open(seal.seal(b"4111 1111", b"r1"), b"r1")
    b'4111 1111'
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ConfigError(f"the sealing key has {len(key)} bytes, not {KEY_BYTES}", key="seal")
        self._cipher = AESGCM(hashlib.sha256(b"encrypt" + key).digest())
        self._nonces = hashlib.sha256(b"nonce" + key).digest()

    def seal(self, plaintext: bytes, context: bytes) -> str:
        """Return ``plaintext`` sealed, as base64; it opens only with the same ``context``."""
        mark = len(context).to_bytes(4, "big") + context + plaintext
        nonce = hmac.digest(self._nonces, mark, "sha256")[:_NONCE_BYTES]
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, plaintext, context)).decode()

    def open(self, sealed: str, context: bytes) -> bytes:
        """Return what was sealed.

        Raises:
            DecodeError: If it was sealed under another key or context, or was tampered with.
        """
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context)
        except (ValueError, InvalidTag) as error:
            raise DecodeError("the sealed bytes do not open with this key") from error
