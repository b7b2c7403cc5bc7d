"""The page for a browser: server, what it sends, sources of what is shown, the page's files; no ROS."""
