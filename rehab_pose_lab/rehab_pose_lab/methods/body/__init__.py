"""Body fits as published: the energy, Adam, the mixture prior, and torch versions of the body model."""
