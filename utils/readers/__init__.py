"""Real files, read into the same schema as the worlds."""
