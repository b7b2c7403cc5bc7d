"""From sensor images to clean RGB-D frames: pairing by stamp, depth cleaning, the floor plane."""
