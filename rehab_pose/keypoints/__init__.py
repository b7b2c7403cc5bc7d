"""Points found by classical geometry on the silhouette and its texture."""
