"""Pictures of results: overlays, the bones inside the body, and their rasteriser."""
