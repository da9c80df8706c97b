"""Credentials in texts: keys by their issuer's format, and values assigned to telling names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable

from monitors.decoding import View
from monitors.guard import Scan
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


def _token(label: str, pattern: str, seed: str) -> Expression:
    """Return the expression of a token that stands alone, not within a longer one."""
    return Expression(label, regex=rf"(?<![A-Za-z0-9_-])(?:{pattern})(?![A-Za-z0-9_-])", seed=seed)


_EXPRESSIONS = (
    Expression("PRIVATE_KEY", regex=f"{_BEGIN}(?:{_BODY}|{_CUT_OFF})", seed=_BEGIN),
    _token("AWS_KEY", r"A(?:KIA|SIA|ROA|IDA|BIA|CCA)[A-Z2-7]{16}", r"A(?:KI|SI|RO|ID|BI|CC)A"),
    _token("GITHUB_TOKEN", r"gh[pousr]_[A-Za-z0-9]{36,255}", r"gh[pousr]_"),
    _token("GITHUB_TOKEN", r"github_pat_\w{22,255}", r"github_pat_"),
    _token("GITLAB_TOKEN", r"gl(?:pat|dt|rt|ptt|cbt)-[\w-]{20,64}", r"gl(?:pat|dt|rt|ptt|cbt)-"),
    _token("SLACK_TOKEN", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}", r"xox[a-z]-"),
    _token("SLACK_WEBHOOK", r"hooks\.slack\.com/services/[\w/]{20,80}", r"hooks\.slack\.com/"),
    _token("STRIPE_KEY", r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,99}", r"[sr]k_(?:live|test)_"),
    _token("GOOGLE_KEY", r"AIza[\w-]{35}", r"AIza"),
    _token("MODEL_KEY", r"sk-[\w-]{32,200}", r"sk-"),
    _token("MODEL_KEY", r"hf_[A-Za-z0-9]{34,40}", r"hf_"),
    _token("PACKAGE_TOKEN", r"npm_[A-Za-z0-9]{36}", r"npm_"),
    _token("PACKAGE_TOKEN", r"pypi-[\w-]{50,250}", r"pypi-"),
    _token("SENDGRID_KEY", r"SG\.[\w-]{16,32}\.[\w-]{32,64}", r"SG\."),
    _token("TELEGRAM_TOKEN", r"\d{8,10}:AA[\w-]{33}", r"\d:AA"),
    _token("JWT", r"eyJ[\w-]{10,4000}\.eyJ[\w-]{10,4000}\.[\w-]{8,1000}", r"\.eyJ"),
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
)


class Secrets(PatternGuard):
    """Find API keys, private keys, tokens and passwords, for masking.

    Keys are known by the formats their issuers publish. A value assigned to a name such as
    ``password`` or ``api_key`` counts when it looks made by a machine: of letters and digits, with
    little repeated.

    >>> Secrets().scan(["export API_KEY=q7RzX2mV9pLs4TtB"])[0].spans
    (Span(start=15, end=31, label='SECRET'),)
    >>> Secrets().scan(["what is my password: something?"])[0].spans
    ()
    """

    name = "secrets"
    version = "2"
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.PASSAGE, Direction.ANSWER)
    action = Action.MASK
    threshold = 0.5
    views = frozenset({View.BASE64, View.HEX, View.URL})
    expressions = _EXPRESSIONS

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``: 1 for a known format, 0.8 for an assigned value."""
        found: list[Span] = []
        score = 0.0
        for label, match, source in hits:
            if label == "SECRET" and not _looks_made(match["value"]):
                continue
            group = "value" if "value" in match.re.groupindex else 0
            found.append(source.span(*match.span(group), label))
            score = max(score, 0.8 if label == "SECRET" else 1.0)
        chars = len(text.original)
        return Scan(score, chars, disjoint(found, chars))


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
