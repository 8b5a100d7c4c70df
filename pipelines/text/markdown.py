"""Text of people and models inside the Markdown of cards."""

from __future__ import annotations

import re
from typing import Any


def cell(text: Any) -> str:
    """Text that stays inside its table cell and stays text, whatever a model wrote."""
    flat = " ".join(str(text).split())
    return re.sub(r"([\\`*_\[\]|~])", r"\\\1", flat).replace("<", "&lt;")
