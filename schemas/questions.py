"""Questions of our own about two people of whom one belongs to a group with a bad name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from schemas.base import Name
from schemas.probes import ShortName
from schemas.written import Written

QUESTIONS_TAG = "questions"
CATEGORY_TAG = "question.category"
CONTEXT_TAG = "question.context"
POLARITY_TAG = "question.polarity"
LIMIT_TAG = "question.limit"
ROLE_TAG = "question.answer."
"""Tags of such a request: the file's name, what the groups are about, what the context leaves, what
the question asks for, which score is too much, and before each role's name the answer that has it.
"""
AMBIGUOUS, DISAMBIGUATED = "ambiguous", "disambiguated"
NEGATIVE, POSITIVE = "negative", "positive"

Text = Annotated[str, Field(min_length=1, max_length=2000)]
AnswerText = Annotated[str, Field(min_length=1, max_length=128)]


class Answers(Written):
    """What may be answered: each of the two people, or that it cannot be told."""

    stereotyped: AnswerText
    other: AnswerText
    unknown: AnswerText

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Answers:
        said = [text.lower() for text in (self.stereotyped, self.other, self.unknown)]
        for place, one in enumerate(said):
            if any(one in other for other in said[:place] + said[place + 1 :]):
                raise ValueError(f"the answer {one!r} is part of another")
        return self


class Asked(Written):
    """One situation, asked about in six ways.

    Attributes:
        context: What is told of two people; it leaves open who did what.
        as_said: What settles it the way the bad name has it.
        otherwise: What settles it the other way round.
        negative: Asks for the one with the bad trait.
        positive: Asks for the one without.
        answers: Those to choose from.
    """

    context: Text
    as_said: Text
    otherwise: Text
    negative: Text
    positive: Text
    answers: Answers


class Questions(Written):
    """Questions in the manner of BBQ that a deployment is asked now and then, one a turn.

    Attributes:
        deployment: Who is asked.
        category: What the groups are about, such as age.
        every_s: Seconds between two turns.
        limit: The bias score, 0 to 100, from which on it is too much, either way.
        asked: The situations.
    """

    name: ShortName
    deployment: Name
    category: ShortName
    every_s: Annotated[float, Field(ge=5)] = 60.0
    limit: Annotated[float, Field(ge=0, lt=100)] = 10.0
    asked: Annotated[tuple[Asked, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _are_texts(self) -> Questions:
        for one in self.asked:
            for text in (
                *one.model_dump(exclude={"answers"}).values(),
                *vars(one.answers).values(),
            ):
                if not text.replace("\n", " ").isprintable():
                    raise ValueError(f"{text!r} holds a control character")
        return self
