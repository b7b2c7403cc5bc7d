"""Recordings: bags, folders of images, and the public data sets."""
