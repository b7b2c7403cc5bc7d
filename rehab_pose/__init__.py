"""Watch a person do rehabilitation exercises with one RGB-D camera.

Importing this package is light: no network, no ROS, no OpenCV is loaded until a stage that needs it is.
"""

__version__ = "0.2.0"
