"""The body: a model in SMPL's format, and its parameters fitted to joints and depth."""
