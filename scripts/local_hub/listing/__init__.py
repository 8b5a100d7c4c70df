"""Lists of repos: what is inferred of each, and which are asked for, in which order."""
