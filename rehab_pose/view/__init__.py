"""The page for a browser: server, what it sends, and the files of the page."""
