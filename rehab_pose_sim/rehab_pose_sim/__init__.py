"""A rendered person with known truth: motions, a depth and colour renderer, sensor noise, a simulated camera."""
