"""Recognition of the exercise and counting of its repetitions."""
