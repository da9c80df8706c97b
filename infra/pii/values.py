"""The words that made-up values consist of: known ones, and ones nobody may ever have borne."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from random import Random

from infra.pii.grammar import lines_of
from monitors.checksums import passes_luhn
from monitors.pii_words import entries

_MADE_UP_RATE = 0.45
_ENGLISH_RATE = 0.3
_KIN = {
    "danish": "nordic",
    "norwegian": "nordic",
    "swedish": "nordic",
    "finnish": "nordic",
    "icelandic": "nordic",
    "slovenian": "southslavic",
    "croatian": "southslavic",
    "serbian": "southslavic",
    "chinese": "eastasian",
    "japanese": "eastasian",
    "korean": "eastasian",
    "vietnamese": "eastasian",
    "thai": "eastasian",
    "klingon": "hobbit",
}
_MONTHS = 12


@cache
def words(name: str, heading: str) -> tuple[str, ...]:
    """Return the words of one heading of a word list."""
    return tuple(word.replace("_", " ") for word in dict(entries(name))[heading])


@cache
def headings(name: str) -> tuple[str, ...]:
    """Return the headings of a word list."""
    return tuple(heading for heading, _ in entries(name))


@cache
def _chain(name: str, heading: str) -> dict[str, list[str]]:
    """Return what follows each three letters in the words of a heading, ends included."""
    follows: defaultdict[str, list[str]] = defaultdict(list)
    for word in words(name, heading):
        padded = f"^^^{word.lower()}$"
        for place in range(len(padded) - 3):
            follows[padded[place : place + 3]].append(padded[place + 3])
    return dict(follows)


def made_up(rng: Random, name: str, heading: str) -> str:
    """Return a word that sounds like those of a heading."""
    chain = _chain(name, heading)
    for _ in range(20):
        word = "^^^"
        while len(word) < 17:
            char = rng.choice(chain[word[-3:]])
            if char == "$":
                break
            word += char
        if 6 <= len(word) < 16:
            return word[3:].title().replace("'S", "'s")
    return rng.choice(words(name, heading))


def _part(heading: str) -> Callable[[Random], str]:
    return lambda rng: rng.choice(_parts()[heading])


@cache
def _parts() -> dict[str, list[str]]:
    lines = (line.split(": ", 1) for line in lines_of("words.txt"))
    return {heading: words.split() for heading, words in lines}


def _sounding(name: str, *kinds: str) -> Callable[[Random], str]:
    def word(rng: Random) -> str:
        return made_up(rng, name, rng.choice(kinds or headings(name)))

    return word


def _listed(name: str, *kinds: str, first: int | None = None) -> Callable[[Random], str]:
    return lambda rng: rng.choice(words(name, rng.choice(kinds))[:first])


def given_name(rng: Random, of: str = "") -> str:
    """Return a given name of a language, of any if none is named."""
    heading = of or _language(rng)
    if rng.random() < _MADE_UP_RATE:
        return made_up(rng, "given", heading)
    return rng.choice(words("given", heading))


def family_name(rng: Random, of: str = "") -> str:
    """Return a family name of a language, of any if none is named."""
    of = of or _language(rng)
    heading = _KIN.get(of, of)
    heading = heading if heading in headings("family") else "english"
    made = rng.random() < _MADE_UP_RATE
    name = made_up(rng, "family", heading) if made else rng.choice(words("family", heading))
    if name[0].islower():
        name = rng.choice(("van Dijk", "de Vries", "van der Meer", "van den Berg", "De Groot"))
    chance = rng.random()
    if chance < 0.04 and " " not in name:
        return f"{name}-{made_up(rng, 'family', heading)}"
    if chance < 0.06:
        return rng.choice(("O'", "Mac", "Mc", "D'", "El ", "Al-", "von ", "Di ", "da ")) + name
    return name


def _language(rng: Random) -> str:
    return "english" if rng.random() < _ENGLISH_RATE else rng.choice(headings("given"))


def card_number(rng: Random) -> str:
    """Return a card number whose check digit is right."""
    body = rng.choice(("4", "51", "37", "6011", "35", "5018"))
    body += "".join(rng.choice("0123456789") for _ in range(rng.choice((12, 15)) - len(body)))
    return next(body + digit for digit in "0123456789" if passes_luhn(body + digit))


def _ordinal(rng: Random) -> str:
    number = rng.randint(1, 30)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number // 10 != 1 else 0, "th")
    return f"{number}{ending}"


def _family(of: str) -> Callable[[Random], str]:
    return lambda rng: family_name(rng, of)


WORDS: dict[str, Callable[[Random], str]] = {
    "first": given_name,
    "last": family_name,
    **{f"{of}_last": _family(of) for of in ("english", "french", "spanish", "portuguese")},
    **{f"{of}_last": _family(of) for of in ("italian", "polish")},
    "family_word": _sounding("family"),
    "nordic_word": _sounding("family", "nordic", "german", "dutch"),
    "slavic_word": _sounding("family", "czech", "southslavic"),
    "hungarian_word": _sounding("family", "hungarian"),
    "made_up_city": _sounding("places", "world_city", "us_city"),
    "known_city": _listed("places", "world_city", "world_city", "us_city"),
    "upper_city": lambda rng: made_up(rng, "places", "world_city").upper(),
    "country": _listed("places", "country"),
    "nationality": _listed("places", "nationality"),
    "state": _listed("places", "us_state"),
    "state_code": _listed("places", "us_state_code"),
    "country_code": _listed("places", "country_code"),
    "title_word": _listed("terms", "title"),
    "org_end": _listed("terms", "org_suffix"),
    "month": _listed("terms", "month", first=_MONTHS),
    "mon": lambda rng: words("terms", "month")[rng.randrange(_MONTHS)][:3],
    "weekday": _listed("terms", "weekday", first=7),
    "street_word": _part("street_word"),
    "street_end": _part("street_end"),
    "stem": _part("stem"),
    "glued": _part("glued"),
    "org_word": _part("org_word"),
    "coin": lambda rng: (_part("coin_head")(rng) + _part("coin_tail")(rng)).capitalize(),
    "camel": lambda rng: _part("coin_head")(rng).title() + _part("coin_tail")(rng).title(),
    "site": lambda rng: made_up(rng, "family", "english").lower(),
    "age": lambda rng: str(rng.randint(1, 104)),
    "day": lambda rng: str(rng.randint(1, 31)),
    "year": lambda rng: str(rng.randint(1900, 2035)),
    "ordinal": _ordinal,
    "card": card_number,
}
