"""A processed recording: joints, joint angles, body, labels and repetitions as arrays and tables."""
