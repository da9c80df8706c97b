"""Passages with right and wrong answers, written to fit the guard of groundedness on."""
