"""Training of networks, priors, norms and scores: samples, training loops and metrics, one module per concept."""
