"""Sessions: their state, the topics that are recorded, and their report. Imports no ROS."""
