"""Tests of the detectors of drift."""
