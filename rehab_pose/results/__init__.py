"""Writing of results to files: summaries of recordings, files of each frame, and bones."""
