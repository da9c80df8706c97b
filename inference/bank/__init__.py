"""What customers ask a bank, and what it answers: the corpus of the demo, written for Tidegate."""

from inference.bank.corpus import Intent, Question, elsewhere, intents, questions
from inference.bank.mishaps import Mishap, injections, pasted

__all__ = [
    "Intent",
    "Mishap",
    "Question",
    "elsewhere",
    "injections",
    "intents",
    "pasted",
    "questions",
]
