"""Cameras, rotations and rigid motions. Optical frames throughout: x right, y down, z forward."""
