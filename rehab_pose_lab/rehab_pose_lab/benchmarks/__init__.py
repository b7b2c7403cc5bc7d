"""Benchmarks of `rehab-pose-lab bench`: each module has functions that return metrics by name."""
