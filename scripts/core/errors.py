"""The error that Hanjul raises on purpose, under the name that the commands know it by."""

from pipelines.errors import HanjulError

__all__ = ["HanjulError"]
