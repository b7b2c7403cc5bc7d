"""Analysis of rehabilitation exercises of a person with one RGB-D camera.

Importing this package loads no network, no ROS and no OpenCV; they are loaded with the stages that need them.
"""

__version__ = "0.2.0"
