"""Commands that make data and learn from it. Needs torch; nothing at run time imports this."""
