"""Conversion of raw colour and depth images to RGB-D frames: pairing, rectification, cleaning, registration."""
