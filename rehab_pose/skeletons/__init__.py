"""Ordered joint names and parents, and the maps between the skeletons this field uses. No positions live here."""
