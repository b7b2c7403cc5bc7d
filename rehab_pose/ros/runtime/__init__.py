"""Base class of the nodes, with worker threads, parameters, health, start and stop."""
