"""Data sets, training, published methods kept for comparison, and benchmarks of rehab_pose. Not used on a robot."""
