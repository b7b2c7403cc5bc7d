"""A rendered person with known truth: motions, camera, noise."""
