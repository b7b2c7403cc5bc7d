"""What a person reads: pictures and summaries."""
