"""Says whether the model that answered is the one that was asked."""

from __future__ import annotations

import re

#: A file that a server has loaded: which one, its owner knows.
_FILE = re.compile(r"\A(?:[/~.\\]|[a-z]:[\\/])|\.(?:gguf|bin|safetensors)\Z", re.I)
#: How a provider says that it serves the newest, the free or a smaller copy of a model.
_COPY = re.compile(
    r"[-_.:@](?:latest|free|gguf|awq|gptq|mlx|[48]-?bit|int[48]|fp(?:8|16)|bf16|f16|i?q\d(?:_[a-z0-9]+)*)\Z", re.I
)
#: What stands after a model's name where a version of it answers: a date, a number of three digits or more.
_VERSION = re.compile(r"[-_.:@](?:(?:preview[-_])?(?:\d{4}-?\d{2}-?\d{2}|\d{2}-\d{2,4}|\d{3,4})|preview|exp)\Z", re.I)


def same_model(asked: str, served: str) -> bool:
    """Whether a name in an answer is another name of the model that was asked for.

    A dated version of an alias is, one date for another is not. So is a file's path, and no name at all.
    """
    if not asked.strip() or not served.strip() or _FILE.search(served.strip()):
        return True
    one, other = _plain(asked), _plain(served)
    return one == other or _VERSION.sub("", one) == other or one == _VERSION.sub("", other)


def _plain(name: str) -> str:
    """A name in small letters, without owner, provider and what says how a copy is packed."""
    plain = name.strip().rstrip("/").rpartition("/")[2].lower()
    while (shorter := _COPY.sub("", plain)) != plain:
        plain = shorter
    return plain
