"""Which language a text is in, by its script and the small words no sentence does without."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

READ_CHARS = 4000
"""Characters from the beginning by which a text's language is told."""
_MIN_WORDS = 4
_MIN_RATE = 0.12
_MIN_KNOWN = 2
"""Different small words of a language, single letters apart, without which it is not told."""
_WORD = re.compile(r"[^\W\d_]+")

_SMALL_WORDS = {
    "en": "the of and to in is you that it for was on are with as be this have from or not but what"
    " can your how my we an if will would they do does i me please there been has when which a am"
    " at by need want get why where who any just about did could should more than tell give show",
    "de": "der die das und ist nicht ich sie es ein eine einen zu den mit auf für von dem des im"
    " auch wie kann wir ihr ihre mein meine wird haben sind bei nach oder aber wenn noch bitte",
    "fr": "le la les et est pas je vous il elle un une des du de que qui dans pour sur avec votre"
    " mon ma nous ce cette sont par plus mais ou comment être avez ai aux au ne se en leur",
    "es": "el la los las y es no yo usted un una de del que en para por con su mi me se lo como"
    " está son más pero si puede puedo tengo hay este esta cómo qué cuando al le ser ha",
    "it": "il lo la gli le e è non io lei un una di del della che in per con su mio mia mi si come"
    " sono più ma se può posso ho questo questa quando al alla dei delle nel anche ci ha",
    "pt": "o a os as e é não eu você um uma de do da que em para por com seu minha meu me se como"
    " está são mais mas ou pode posso tenho este esta quando ao no na dos das ser foi",
    "nl": "de het een en is niet ik u je van in op te dat die met voor zijn aan er maar om ook mijn"
    " uw kan hoe wat we als bij naar of nog worden heeft deze dit geen mij kunt",
    "sv": "och att det är en ett i på som inte jag du av för med den till har om kan hur mitt min"
    " vi de så men från ni eller när vad detta din ditt ska vill",
    "da": "og at det er en et i på som ikke jeg du af for med den til har om kan hvordan mit min vi"
    " de så men fra eller når hvad dette din dit skal vil",
    "pl": "i w na nie się że to jest z do ja czy jak po za od dla moje moja mój mi ale są być o co"
    " przez tak już może mogę proszę oraz ten ta pan pani które",
    "tr": "ve bir bu için ile de da ne mi m\u0131 var yok ben siz çok daha gibi olarak ama"
    " nas\u0131l kadar değil her o şu benim hesap lütfen olan sonra veya ise kart",
    "ro": "și în la nu este un o de pe cu pentru că să care mai din am ai sunt cum dar sau ce eu"
    " meu mea dumneavoastră poate pot acest această ale lui au fost",
}
_WORDS: dict[str, tuple[str, ...]] = {}
for _language, _listed in _SMALL_WORDS.items():
    for _small in _listed.split():
        _WORDS[_small] = (*_WORDS.get(_small, ()), _language)
_MARKS = {
    "ß": "de", "ñ": "es", "¿": "es", "¡": "es", "ã": "pt", "õ": "pt", "ł": "pl", "ż": "pl",
    "ś": "pl", "ę": "pl", "ą": "pl", "\u0131": "tr", "ğ": "tr", "ş": "tr", "ø": "da", "æ": "da",
    "ț": "ro", "ă": "ro", "ș": "ro", "œ": "fr", "ê": "fr", "ì": "it", "ò": "it",
}  # fmt: skip
# Of each script the first and last letters, and the language meant by it alone.
_SCRIPTS = (
    (0x0370, 0x03FF, "el"), (0x0400, 0x04FF, "ru"), (0x0590, 0x05FF, "he"),
    (0x0600, 0x06FF, "ar"), (0x0900, 0x097F, "hi"), (0x0E00, 0x0E7F, "th"),
    (0x3040, 0x30FF, "ja"), (0x3400, 0x9FFF, "zh"), (0xAC00, 0xD7AF, "ko"),
)  # fmt: skip
_UKRAINIAN = frozenset("іїєґ")
LANGUAGES = frozenset({*_SMALL_WORDS, *(language for *_, language in _SCRIPTS), "uk"})
"""Codes of the languages that are told apart, as in ISO 639-1."""


class Guess(NamedTuple):
    """What language a text is in.

    Args:
        language: Its code; empty if there is too little to go by.
        sureness: From one half, when another is as likely, to one.
    """

    language: str
    sureness: float


def language_of(text: str) -> Guess:
    """Return the language that most of ``text``'s beginning is in.

    >>> language_of("Wie kann ich meine Karte sperren?").language
    'de'
    >>> language_of("OK 4711").language
    ''
    """
    head = text[:READ_CHARS].lower()
    letters = sum(char.isalpha() for char in head)
    scripts = _scripts(char for char in head if not char.isascii() and char.isalpha())
    if scripts:
        language, count = _leading(scripts)
        if count > 0.4 * letters and count >= 4:
            return Guess(language, 1.0)
    return _by_small_words(head)


def _scripts(letters: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    ukrainian = False
    for char in letters:
        code = ord(char)
        ukrainian = ukrainian or char in _UKRAINIAN
        for first, last, language in _SCRIPTS:
            if first <= code <= last:
                counts[language] += 1
                break
    if ukrainian and "ru" in counts:
        counts["uk"] = counts.pop("ru")
    if counts["ja"]:  # Japanese writes its nouns with Chinese characters
        counts["ja"] += counts.pop("zh", 0)
    return +counts


def _leading(counts: Counter[str]) -> tuple[str, int]:
    return max(counts.items(), key=lambda item: (item[1], item[0]))


def _by_small_words(head: str) -> Guess:
    words = _WORD.findall(head)
    votes: dict[str, float] = {}
    known: dict[str, set[str]] = {}
    seen = 0
    for word in words:
        languages = _WORDS.get(word, ())
        seen += bool(languages)
        for language in languages:
            votes[language] = votes.get(language, 0.0) + 1 / len(languages)
            if len(word) > 1:
                known.setdefault(language, set()).add(word)
    if len(words) < _MIN_WORDS or seen < _MIN_RATE * len(words):
        return Guess("", 0.5)
    for char in set(head):
        if char in _MARKS:
            votes[_MARKS[char]] = votes.get(_MARKS[char], 0.0) + 1
    ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
    leading, most = ranked[0] if ranked else ("", 0.0)
    if len(known.get(leading, ())) < _MIN_KNOWN:
        return Guess("", 0.5)
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    return Guess(leading, round(most / (most + second), 6))
