"""One thin file a node. A node converts, calls its stage and publishes; it computes nothing itself."""
