"""Clinical joint angles of a fitted body, inside the joints' limits."""
