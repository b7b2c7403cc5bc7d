"""Many recordings processed in parallel."""
