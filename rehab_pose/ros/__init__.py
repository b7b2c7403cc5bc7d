"""Between ROS 2 and the stages: messages, parameters, QoS, mailboxes, diagnostics, markers."""
