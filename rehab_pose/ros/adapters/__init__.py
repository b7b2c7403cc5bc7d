"""Convert records to RViz markers, TF and ROS4HRI messages, and serve the services and the action of sessions."""
