"""Joint angles from keypoints, online and offline, and the comparison with KinePose."""
