"""Names of the known cameras: the files in config/cameras. Loads nothing, for the parsers of commands."""

__all__ = ["CAMERAS"]

CAMERAS = ("azure_kinect", "kinect_v2", "oak", "realsense", "zed")
