"""Data sets, training, published methods kept for comparison, and benchmarks of rehab_pose. Never runs on a robot."""
