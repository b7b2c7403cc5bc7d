"""Joint angles from keypoints alone, online and offline, and KinePose's protocol."""
