"""Start, supervise and stop the processes of a graph, without ROS's launch. No ROS here."""
