"""Generated documentation: the node reference and the figures."""
