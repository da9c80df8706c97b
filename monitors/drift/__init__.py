"""Detectors of drift with a stated average run length between false alarms."""
