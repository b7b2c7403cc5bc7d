"""Which exercise is being done, and how many times."""
