"""The bones inside a fitted body."""
