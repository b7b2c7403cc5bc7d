"""A processed recording: joints, angles and repetitions as arrays and tables."""
