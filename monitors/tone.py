"""Answers no customer should read: insults, profanity, threats and shouting."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from monitors.guard import Scan
from monitors.matching import Expression
from monitors.patterns import Hit, PatternGuard
from monitors.phrases import phrase
from monitors.spans import disjoint
from monitors.text import Text
from schemas.verdicts import Action, Direction, Span

_WEIGHTS = {"insult": 0.9, "threat": 0.9, "profanity": 0.8, "dismissal": 0.6, "shouting": 0.6}

_PHRASES = {
    "insult": (
        r"(you|you are|you re|your|such an?|what an?) ~2 (idiots?|morons?|imbeciles?|stupid|dumb"
        r"|fools?|losers?|pathetic|worthless|ignorant|incompetent|brainless|ridiculous|disgusting)",
        r"(idiots|morons|imbeciles|scumbags?|dumbass(es)?|dimwits?|jerks?|assholes?|bastards?)",
        r"(shame on you|are you (stupid|dumb|deaf|blind|insane|crazy))",
        r"(i|we|they|everyone) (hates?|despises?|loathes?) (you|your)",
    ),
    "threat": (
        r"(i|we) (will|ll|am going to|are going to) ~1 (hurt|kill|destroy|ruin|punish|hunt) you",
        r"you (will|ll|are going to) ~1 (regret|pay for|suffer)",
        r"(go|drop) (die|dead)",
    ),
    "profanity": (
        r"(fuck|fucks|fucked|fucking|fucker|motherfucker|shit|shitty|bullshit|bitch|bitches|cunt"
        r"|wtf|stfu|crap|crappy|piss off|pissed|damn (you|it)|goddamn|arse|bollocks|wanker)",
    ),
    "dismissal": (
        r"(shut up|go away|screw you|buzz off|leave me alone|get a life|deal with it)",
        r"(not|isn[\W_]?t|ain[\W_]?t) my (problem|job)",
        r"(i|we) (do not|don[\W_]?t|couldn[\W_]?t) (care|give a ~1) (less|about you|damn)",
        r"(stop|quit) (whining|complaining|wasting|bothering|crying)",
        r"(figure|sort) it out yourself",
    ),
}
_SHOUT_WORDS = 5
_SHOUT_SHARE = 0.6
_WORD = re.compile(r"[A-Za-z]{4,}")
_LOUD = r"(?<![A-Za-z])[A-Z]{4,}+(?![A-Za-z])"


class Tone(PatternGuard):
    """Flag answers that insult, swear, threaten, brush off or shout.

    Shouting is an answer of which most longer words, five at least, are in capitals.

    >>> [scan.score for scan in Tone().scan(["Go away, you are an idiot.", "You are welcome."])]
    [0.96, 0.0]
    """

    name = "tone"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    threshold = 0.5
    expressions = (
        *(phrase(kind, words) for kind in _PHRASES for words in _PHRASES[kind]),
        Expression("shouting", _LOUD, seed=r"[A-Z]{4}"),
    )

    def read(self, text: Text, hits: Iterable[Hit]) -> Scan:
        """Return the scan of ``text``; the score grows with every further kind of rudeness."""
        found: list[Span] = []
        loud: list[Hit] = []
        for hit in hits:
            if hit.label == "shouting":
                loud.append(hit)
            else:
                found.append(hit.source.span(*hit.match.span(), hit.label))
        if _is_shouting(loud, text.folded.text):
            # From the first loud word to the last.
            start, end = loud[0].match.start(), loud[-1].match.end()
            found.append(text.folded.span(start, end, "shouting"))
        fine = 1.0
        for kind in sorted({span.label for span in found}):
            fine *= 1 - _WEIGHTS[kind]
        chars = len(text.original)
        return Scan(round(1 - fine, 6), chars, disjoint(found, chars))


def _is_shouting(loud: Sequence[Hit], text: str) -> bool:
    """Return whether so many of a text's longer words are ``loud`` that it shouts."""
    if len(loud) < _SHOUT_WORDS:
        return False
    return len(loud) >= _SHOUT_SHARE * len(_WORD.findall(text))
