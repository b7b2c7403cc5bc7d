"""Landmarks and mask of the person in the colour image, by a network trained on real people."""
