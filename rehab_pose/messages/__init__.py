"""Conversion of records to messages and back, for the messages of rclpy and of rosbags.

Two libraries have classes for the same message types: rclpy (live topics) and rosbags (recordings, no ROS needed). In
both, a message is made from keyword arguments and its fields are attributes, so one conversion serves both; a
`MessageFactory` hides the remaining differences. A frame without a person is None as a record and a message with an
empty body_id or box.
"""
