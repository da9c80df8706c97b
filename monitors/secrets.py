"""Credentials in texts: keys by their issuer's format, and values assigned to telling names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable

from monitors.decoding import View
from monitors.guard import Scan
from monitors.key_checks import CHECKS
from monitors.key_formats import FORMATS, alone
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.spans import disjoint
from monitors.text import Text
from schemas.verdicts import Action, Direction, Span

_ASSIGNED_BITS = 2.5
"""Shannon entropy, in bits a character, from which an assigned value looks made by a machine."""

_NAMES = (
    r"(?:password|passwd|pwd|passphrase|secret|token|credential|api[ _-]?key|access[ _-]?key"
    r"|private[ _-]?key|auth[ _-]?key|client[ _-]?secret)"
)
_BEGIN = r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_BODY = r"(?:(?!-----)[\s\S]){0,20000}+-----END [A-Z ]{0,40}-----"
_CUT_OFF = r"(?:(?:\s|\\[nr]){0,8}+[A-Za-z0-9+/=]{16,}+){0,400}+"


_EXPRESSIONS = (
    Expression("PRIVATE_KEY", regex=f"{_BEGIN}(?:{_BODY}|{_CUT_OFF})", seed=_BEGIN),
    alone("AWS_KEY", r"A(?:KIA|SIA|ROA|IDA|BIA|CCA)[A-Z2-7]{16}", r"A(?:KI|SI|RO|ID|BI|CC)A"),
    alone("GITHUB_TOKEN", r"gh[pousr]_[A-Za-z0-9]{36,255}", r"gh[pousr]_"),
    alone("GITHUB_TOKEN", r"github_pat_\w{22,255}", r"github_pat_"),
    alone("GITLAB_TOKEN", r"gl(?:pat|dt|rt|ptt|cbt)-[\w-]{20,64}", r"gl(?:pat|dt|rt|ptt|cbt)-"),
    alone("SLACK_TOKEN", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}", r"xox[a-z]-"),
    alone("SLACK_WEBHOOK", r"hooks\.slack\.com/services/[\w/]{20,80}", r"hooks\.slack\.com/"),
    alone("STRIPE_KEY", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,99}", r"[sr]k_(?:live|test)_"),
    alone("GOOGLE_KEY", r"AIza[\w-]{35}", r"AIza"),
    alone("MODEL_KEY", r"sk-[\w-]{32,200}", r"sk-"),
    alone("MODEL_KEY", r"hf_[A-Za-z0-9]{34,40}", r"hf_"),
    alone("NPM_TOKEN", r"npm_[A-Za-z0-9]{36}", r"npm_"),
    alone("PACKAGE_TOKEN", r"pypi-[\w-]{50,250}", r"pypi-"),
    alone("SENDGRID_KEY", r"SG\.[\w-]{16,32}\.[\w-]{32,64}", r"SG\."),
    alone("TELEGRAM_TOKEN", r"\d{8,10}:AA[\w-]{33}", r"\d:AA"),
    alone("JWT", r"eyJ[\w-]{10,4000}\.eyJ[\w-]{10,4000}\.[\w-]{8,1000}", r"\.eyJ"),
    Expression(
        "PASSWORD",  # in a connection string
        regex=r"\b[a-z][a-z0-9+]{1,19}://[^\s:/@]{1,64}:(?P<value>[^\s:/@]{3,128})@[a-z0-9]",
        seed=r"://[^\s:/@]+:[^\s:/@]+@",
        caseless=True,
    ),
    Expression(
        "SECRET",
        regex=(
            _NAMES + r"(?:[\"']?\s{0,4}(?::=|=>|[:=])\s{0,4}| is:? )[\"'`]?"
            r"(?P<value>[^\s\"'`,;]{8,200})"
        ),
        seed=_NAMES + r"[\"']?(?:\s{0,4}[:=]| is)",
        caseless=True,
    ),
    *FORMATS,
)
_ASSIGNED = frozenset({"SECRET", "COOKIE"})
_UNCHECKED = frozenset({"CRYPTO_KEY"})
"""Kinds whose form alone says nothing: they count only when their check holds."""


class Secrets(PatternGuard):
    """Find API keys, private keys, tokens and passwords, for masking.

    Keys are known by the formats their issuers publish, some seventy of them, and are surest where
    the issuer's own check holds. A value assigned to a name such as
    ``password`` or ``api_key`` counts when it looks made by a machine: of letters and digits, with
    little repeated.

    >>> Secrets().scan(["export API_KEY=q7RzX2mV9pLs4TtB"])[0].spans
    (Span(start=15, end=31, label='SECRET'),)
    >>> Secrets().scan(["what is my password: something?"])[0].spans
    ()
    """

    name = "secrets"
    version = "3"
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.PASSAGE, Direction.ANSWER)
    action = Action.MASK
    threshold = 0.5
    views = frozenset({View.BASE64, View.HEX, View.URL})
    expressions = _EXPRESSIONS

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``: 1 for a key whose check holds, less for one without."""
        found: list[Span] = []
        score = 0.0
        for label, match, source in hits:
            group = "value" if "value" in match.re.groupindex else 0
            sure = _sureness(label, match[group])
            if sure:
                found.append(source.span(*match.span(group), label))
                score = max(score, sure)
        chars = len(text.original)
        return Scan(score, chars, disjoint(found, chars))


def _sureness(label: str, value: str) -> float:
    """Return how sure it is that ``value`` is what ``label`` says; 0 if it is not."""
    if label in _ASSIGNED:
        return 0.8 if _looks_made(value) else 0.0
    check = CHECKS.get(label)
    if check is None:
        return 0.95
    if check(value):
        return 1.0
    return 0.0 if label in _UNCHECKED else 0.9


def _looks_made(value: str) -> bool:
    """Return whether ``value`` mixes letters and digits without much of a pattern."""
    mixed = re.search(r"[A-Za-z]", value) and re.search(r"\d", value)
    return bool(mixed) and entropy_bits(value) >= _ASSIGNED_BITS


def entropy_bits(value: str) -> float:
    """Return the Shannon entropy of ``value``'s characters, in bits a character.

    >>> entropy_bits("aaaa"), entropy_bits("abcd")
    (0.0, 2.0)
    """
    shares = [count / len(value) for count in Counter(value).values()]
    return max(0.0, -sum(share * math.log2(share) for share in shares))
