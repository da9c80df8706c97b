"""Signs that an answer may be made up: numbers of questions and answers that a model weighs."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from monitors.text_model import READ_CHARS, Floats, Reading

_WORD = re.compile(r"[a-z']+")
_NUMBER = re.compile(r"\d+")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_HEDGES = re.compile(
    r"\b(may|might|could|possibly|perhaps|likely|generally|typically|often|usually|probably|seems"
    r"|appears|approximately|around|about|roughly|estimated|believe|think|some|several|various"
    r"|many)\b"
)

QUESTION_SIGNS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.I)
    for name, pattern in {
        "what": r"^what",
        "who": r"^who",
        "when": r"^when",
        "where": r"^where",
        "which": r"^which",
        "how": r"^how",
        "why": r"^why",
        "list": r"^(give|provide|list|name)",
        "write": r"^(write|compose|create|generate)",
        "find": r"^(find|identify|calculate|determine|compute|count)",
        "edit": r"^(edit|rewrite|rephrase|paraphrase|change|convert|transform|correct|fix|replace"
        r"|modify|reword|arrange|sort|order|rearrange|form|construct)",
        "classify": r"^(classify|categori|predict|detect|evaluate|rate|match)",
        "tell": r"^(describe|explain|tell|discuss)",
        "yes_no": r"^(is|are|does|do|can|did|was|were|will|has)\b",
        "summary": r"^(summar|outline)",
        "number": r"\d",
        "link": r"http|www",
        "recent": r"\b(latest|current|recent|today|now|this year|20[12]\d)\b",
        "form": r"\b(exact|word|letter|sentence|syllable|anagram|rhyme|palindrome|character)s?\b",
        "work": r"\b(song|movie|film|book|author|album|actor|quote|lyric)",
        "most": r"\b(most|largest|biggest|highest|best|top|longest|smallest|oldest|first)\b",
        "lookup": r"\b(news|article|paper|research|study|website|email|phone|address|price|stock"
        r"|population|distance|weather)\b",
        "given": r"\b(given|following|this|these|below)\b",
        "lines": r"\n",
        "quoted": r"[\"“']",
        "code": r"\b(code|program|python|java|sql|html|function|algorithm|regex)\b",
        "formula": r"[=+*/^<>]",
    }.items()
}

ANSWER_SIGNS: dict[str, re.Pattern[str]] = {
    "as_a_model": re.compile(r"as an? (ai|artificial)|language model|ai assistant", re.I),
    "cannot": re.compile(r"\b(cannot|can't|unable|do not have|don't have|no access|not able)\b"),
    "sorry": re.compile(r"\b(sorry|apolog)", re.I),
    "however": re.compile(r"\bhowever\b", re.I),
    "list": re.compile(r"(?m)^\s*(\d+[.)]|[-*•])"),
    "code": re.compile(r"```|def |function|;\n"),
    "year": re.compile(r"\b(1[5-9]|20)\d\d\b"),
    "digit": re.compile(r"\d"),
    "percent": re.compile(r"\d\s?%"),
    "link": re.compile(r"https?:|www\."),
    "quoted": re.compile(r"[\"“]"),
    "colon": re.compile(r":"),
    "aside": re.compile(r"\("),
    "question": re.compile(r"\?"),
    "exclamation": re.compile(r"!"),
    "lines": re.compile(r"\n"),
    "acronym": re.compile(r"\b[A-Z]{2,}\b"),
    "money": re.compile(r"[$€£]"),
    "first_person": re.compile(r"\bI\b"),
    "second_person": re.compile(r"\byou"),
    "formula": re.compile(r"[=+*/^]"),
    "letter": re.compile(r"\b[a-z]\b"),
    "ordinal": re.compile(r"\b(first|second|third|last)\b"),
}
_ONCE = frozenset(("as_a_model", "cannot", "sorry", "code"))


def read_answer(question: str, answer: str) -> Reading:
    """Return what a model reads of an answer to ``question``."""
    numbers = np.concatenate([question_numbers(question), answer_numbers(question, answer)])
    return Reading((question, answer), numbers)


def read_question(question: str) -> Reading:
    """Return what a model reads of a question whose answer it does not know."""
    return Reading((question,), question_numbers(question))


def question_numbers(question: str) -> Floats:
    """Return what kind of question it is: its length and one number per sign."""
    text = question[:READ_CHARS]
    signs = [float(bool(sign.search(text))) for sign in QUESTION_SIGNS.values()]
    return np.array([np.log1p(len(text)), *signs], np.float32)


def answer_numbers(question: str, answer: str) -> Floats:
    """Return how an answer speaks and what it says that the question does not.

    Counts are per 200 characters and dampened, so that no long answer outweighs all else.
    """
    asked, said = question[:READ_CHARS], answer[:READ_CHARS]
    asks, says = _WORD.findall(asked.lower()), _WORD.findall(said.lower())
    sentences = [part for part in _SENTENCE.split(said) if part.strip()]
    names = set(_NAME.findall(said))
    new, old = set(_NUMBER.findall(said)), set(_NUMBER.findall(asked))
    shared = len(set(asks) & set(says))
    per = max(1.0, len(said) / 200)
    numbers = [
        float(len(said)),
        float(len(says)),
        len(set(says)) / max(1, len(says)),
        shared / max(1, len(set(asks))),
        shared / max(1, len(set(says))),
        50 * len(_HEDGES.findall(said.lower())) / max(1, len(says)),
        _mean([len(word) for word in says]),
        float(len(new - old)),
        float(len(old - new)),
        float(said.rstrip()[-1:] in (".", "!", "?", '"')),
        float(len(names)),
        float(sum(name not in asked for name in names)),
        float(len(sentences)),
        _mean([len(sentence) for sentence in sentences]),
        *(
            len(sign.findall(said)) / (1.0 if name in _ONCE else per)
            for name, sign in ANSWER_SIGNS.items()
        ),
    ]
    return np.log1p(np.array(numbers, np.float32))


def _mean(values: Sequence[int]) -> float:
    return sum(values) / max(1, len(values))
