"""Fused features, clinical scores and repetition counting of arbitrary movements."""
