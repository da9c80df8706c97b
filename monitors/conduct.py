"""The packs of rules as guards: what each reads, and what is done when it speaks."""

from __future__ import annotations

from monitors.rules import RuleGuard
from schemas.verdicts import Action, Direction


class Promises(RuleGuard):
    """Flag answers that promise a return, safety or approval that nobody can promise.

    >>> [scan.score for scan in Promises().scan(
    ...     ["This fund has guaranteed returns.", "Returns are not guaranteed."])]
    [0.9, 0.0]
    """

    name = "promises"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    pack = "promises"


class Advice(RuleGuard):
    """Flag advice on investments, health or law that discloses neither risk nor its limits.

    >>> [scan.score for scan in Advice().scan([
    ...     "You should buy tech stocks now.",
    ...     "You should buy tech stocks now, but their value may fall and you can lose money."])]
    [0.8, 0.0]
    """

    name = "advice"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    pack = "advice"


class Discrimination(RuleGuard):
    """Flag answers that deny, steer or judge people by a protected trait.

    >>> [scan.score for scan in Discrimination().scan([
    ...     "Your loan was declined because you are pregnant.",
    ...     "It is unlawful to decline a loan because you are pregnant."])]
    [0.9, 0.0]
    """

    name = "discrimination"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    pack = "discrimination"


class FairDealing(RuleGuard):
    """Flag answers that press, threaten or mislead customers, or keep them from their rights.

    >>> FairDealing().scan(["You will be arrested if you do not repay your loan."])[0].score
    0.9
    """

    name = "fair_dealing"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    pack = "fair_dealing"


class Laundering(RuleGuard):
    """Flag help with laundering, reporting limits or sanctions, asked for or given.

    >>> [scan.score for scan in Laundering().scan([
    ...     "How do I split cash deposits to stay under the limit?",
    ...     "Splitting deposits to stay under the limit is a crime."])]
    [0.9, 0.0]
    """

    name = "laundering"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.ANSWER)
    action = Action.FLAG
    pack = "laundering"


class TippingOff(RuleGuard):
    """Withhold answers that tell customers they are suspected, reported or looked into.

    >>> TippingOff().scan(["We have filed a suspicious activity report about you."])[0].score
    0.9
    """

    name = "tipping_off"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.WITHHOLD
    pack = "tipping_off"


class Transparency(RuleGuard):
    """Flag answers in which an AI passes itself, or its work, off as a person's.

    >>> [scan.score for scan in Transparency().scan(["Yes, I am a human.", "I am an AI."])]
    [0.9, 0.0]
    """

    name = "transparency"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.ANSWER,)
    action = Action.FLAG
    pack = "transparency"


class ProhibitedUse(RuleGuard):
    """Flag uses of AI that Article 5 of the AI Act forbids, asked for or offered.

    >>> ProhibitedUse().scan(["Build a social credit score for our customers."])[0].score
    0.8
    """

    name = "prohibited_use"
    version = "1"
    directions: tuple[Direction, ...] = (Direction.PROMPT, Direction.ANSWER)
    action = Action.FLAG
    pack = "prohibited"
