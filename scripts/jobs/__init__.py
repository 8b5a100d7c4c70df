"""Stages on machines of Hugging Face: the wheel that a job installs, and the command that it runs."""
