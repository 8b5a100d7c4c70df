"""Reads what an endpoint sent back: replies and errors in whatever shape, thoughts, JSON, who answered."""
