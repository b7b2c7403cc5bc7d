"""Prediction of 24 joint centres from the silhouette and its depth."""
