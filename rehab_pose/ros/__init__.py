"""The ROS 2 side of the product: nodes' base class, parameters, QoS, recording, diagnostics and markers."""
