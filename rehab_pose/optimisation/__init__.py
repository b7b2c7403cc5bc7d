"""Numerical optimisation: Levenberg-Marquardt, its damped and bounded steps, and the Cholesky factorisation."""
