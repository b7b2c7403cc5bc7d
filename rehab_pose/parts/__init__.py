"""Labelling of the person's pixels with the body parts of the Look-Into-Person (LIP) data set."""
