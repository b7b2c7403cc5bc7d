"""The base of every node: worker threads, parameters, health, start and stop."""
