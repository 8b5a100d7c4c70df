"""Wordings that Korean advertising law restricts, one YAML file a field of law, and the words that they share."""
