"""Files of a recording for other programs."""
