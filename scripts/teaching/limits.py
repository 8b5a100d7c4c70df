"""Tells that a limit of the recipe ended the asking of a teacher: what was asked, what came, what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huggingface_hub import HfUri

from pipelines.errors import LimitReachedError
from scripts.hub.hub import Hub

#: Limits that a budget has; the message of one begins with its name.
OF_BUDGET = ("max_requests", "max_tokens", "max_usd")


def reached(limit: str, section: str, got: str, usage: Mapping[str, Any], where: str = "") -> LimitReachedError:
    """The error that says so.

    Args:
        limit: in words, as the budget or the rounds have it.
        section: of the recipe, which has the limit.
        got: what was asked, and what there is.
        usage: as `scripts.core.endpoints.usage_of` gives it.
        where: what there is stands here; empty where nothing does.
    """
    usd = f", {usage['usd_sent']:.4f} USD" if usage["usd"] is not None else ""
    cost = (
        f"{usage['requests_sent']:,} requests, {usage['input_tokens']:,} tokens in, {usage['output_tokens']:,} out{usd}"
    )
    name = limit.partition(" ")[0]
    if name in OF_BUDGET:
        limit = f"{section}.budget.{limit}"
        step = f"raise `{section}.budget.{name}` and run the same command again: what was answered is not paid again"
    elif f"{section}.attempts" in limit:
        step = f"raise `{section}.attempts`, plan more pairs (`pairs.n`), or be content with what there is"
    else:
        step = "see with one request by hand what the endpoint answers now, then run the same command again"
    return LimitReachedError(f"Ended by a limit, {limit}: {got}; {cost}", where or section, step)


def raise_if_reached(hub: Hub, uri: HfUri) -> None:
    """Stop where a limit ended the making of a pinned dataset, now or when it was made. It holds what there is.

    Raises:
        LimitReachedError: one did.
    """
    manifest = hub.manifest(uri)
    counts, usage = manifest["counts"], manifest["usage"]
    if manifest["stage"] == "synthesize" and counts.get("limit"):
        wanted = f"{counts['accepted']} of {counts['wanted']} rows accepted, " if "wanted" in counts else ""
        got = f"{wanted}{counts['out']} lines of {counts['in']} pairs asked"
        raise reached(counts["limit"], "synthesize", got, usage, uri.to_uri())
    if limit := (counts.get("proposals") or {}).get("limit"):
        found = counts["proposals"]
        kept = f"{found.get('products_kept', 0)} products and {found.get('values_kept', 0)} values kept"
        raise reached(
            limit, "pairs.propose", f"{kept}, {found['failures'].get('limit', 0)} questions left", usage, uri.to_uri()
        )
