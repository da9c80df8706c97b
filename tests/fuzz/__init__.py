"""Fuzzing: what coverage-guided inputs may not do to guards."""
