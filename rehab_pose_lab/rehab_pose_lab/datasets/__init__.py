"""Loaders of public data sets and of labelled result bags."""
