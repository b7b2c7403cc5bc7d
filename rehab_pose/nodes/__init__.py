"""One module for each node. A node converts messages, calls its stages and publishes their results."""
