"""Rules: one file, one reason. Each has `REASON`, its words, and `check`, which gives evidence or None."""
