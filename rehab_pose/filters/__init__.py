"""Filters of signals over time."""
