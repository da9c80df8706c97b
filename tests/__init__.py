"""Behaviour, room by room."""
