"""What goes in and out over ROS: subscriptions, QoS, message classes, recording and playing."""
