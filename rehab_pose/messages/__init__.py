"""Records to messages and back, whatever library carries the messages.

Two libraries speak the same message types: rclpy (live topics) and rosbags (recordings, no ROS needed). Both make a
message from its fields by keyword and show it by attribute, so one conversion serves both; a `MessageFactory` hides the
difference. No person in view is `None` on the record's side and an empty message on the other.
"""
