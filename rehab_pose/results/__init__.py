"""Files with results: summaries, files for each frame, and files of bones."""
