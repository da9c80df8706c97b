"""The topics' names."""

from __future__ import annotations

OTHER = "other"
"""The topic of whatever is none of the bank's."""
