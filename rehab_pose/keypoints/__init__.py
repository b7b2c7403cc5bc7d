"""Classical keypoints on the person's pixels."""
