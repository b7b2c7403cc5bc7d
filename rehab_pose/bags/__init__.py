"""Recordings: rosbags and folders of images, read and written without ROS."""
