"""Pictures of results: overlays, the bones inside the body, and the rasteriser they use."""
