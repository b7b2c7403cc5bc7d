"""Fuzzing of every reader of files and of every message converter with hypothesis, for `rehab-pose-lab fuzz`."""
