"""``tidegate eval drift``: false alarms and delays of detectors on streams of real questions."""
