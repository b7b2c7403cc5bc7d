"""What `rehab-pose-lab bench` measures."""
