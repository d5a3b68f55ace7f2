"""Counterpulse."""
