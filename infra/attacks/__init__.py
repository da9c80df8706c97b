"""Attacks on models and harmless texts that resemble them, written for Tidegate by grammar."""

from infra.attacks.corpus import Example, ordinary, spoken
from infra.attacks.held import held_documents, held_instructions

__all__ = ["Example", "held_documents", "held_instructions", "ordinary", "spoken"]
