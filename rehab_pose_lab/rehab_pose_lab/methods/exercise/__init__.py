"""Published methods around exercises: fused features, clinical scores, and counting of arbitrary movements."""
