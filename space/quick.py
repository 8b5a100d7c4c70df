"""A shorter import of Gradio: a third of it writes type stubs beside its own components, which nobody reads here."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_stubs() -> Iterator[None]:
    """Import Gradio within. It writes no stub for a class whose file Python cannot tell."""
    tell = inspect.getfile

    def tell_others(thing: Any) -> str:
        if getattr(thing, "__module__", "").startswith("gradio."):
            raise OSError("no stub")
        return tell(thing)

    inspect.getfile = tell_others  # type: ignore[assignment]
    try:
        yield
    finally:
        inspect.getfile = tell
