"""Clinical joint angles of a fitted body."""
