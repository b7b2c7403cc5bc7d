"""Sessions: their state, what is recorded in them, and their report. No ROS."""
