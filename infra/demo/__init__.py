"""``tidegate demo``: traffic with planned mishaps, each of which must raise its alert."""
