"""Published methods kept for comparison; no node runs them."""
