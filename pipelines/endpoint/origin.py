"""Who an address belongs to: what was given for one host is for no other."""

from __future__ import annotations

from urllib.parse import urlsplit

#: Scheme, host and port of an address.
Origin = tuple[str, str, int | None]


def origin_of(base_url: str) -> Origin:
    """The origin of an address (RFC 6454), with the port that its scheme implies."""
    parts = urlsplit(base_url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)


OPENAI = origin_of("https://api.openai.com")


def is_loopback(base_url: str) -> bool:
    """Whether an endpoint is on this machine, or looks so through a tunnel."""
    return urlsplit(base_url).hostname in ("127.0.0.1", "localhost", "::1")
