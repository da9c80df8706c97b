"""Learned guards under attack: texts changed to deceive them, and their features moved."""
