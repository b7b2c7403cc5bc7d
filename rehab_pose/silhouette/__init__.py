"""Segmentation of the person in an RGB-D frame."""
