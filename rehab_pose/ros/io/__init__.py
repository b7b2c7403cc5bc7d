"""Input and output over ROS: subscriptions, QoS, message classes, recording and playing."""
