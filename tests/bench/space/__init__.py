"""How fast the demo is, beside a plain pipeline, and how it bears many visitors."""
