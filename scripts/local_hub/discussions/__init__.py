"""Discussions and pull requests: what people say of a repo, and changes that wait to be merged."""
