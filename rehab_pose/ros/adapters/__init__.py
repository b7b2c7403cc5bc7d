"""From records to other packages' messages: RViz markers, TF, ROS4HRI; services and the action."""
