"""Tells that a limit of the recipe ended the asking of a teacher or judge: what was asked, what came, what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huggingface_hub import HfUri

from pipelines.endpoint.next_steps import AGAIN
from pipelines.errors import LimitReachedError
from scripts.hub.hub import Hub

#: Limits that a budget has; the message of one begins with its name.
OF_BUDGET = ("max_requests", "max_tokens", "max_usd")


def reached(
    limit: str, section: str, got: str, usage: Mapping[str, Any], where: str = "", version: str = ""
) -> LimitReachedError:
    """The error that says so.

    Args:
        limit: in words, as the budget or the rounds have it.
        section: of the recipe, which has the limit.
        got: what was asked, and what there is.
        usage: as `scripts.core.endpoints.usage_of` gives it.
        where: what there is stands here; empty where nothing does.
        version: of the release that holds it, which the same recipe cannot change any more; empty where none does.
    """
    usd = f", {usage['usd_sent']:.4f} USD" if usage["usd"] is not None else ""
    cost = (
        f"{usage['requests_sent']:,} requests, {usage['input_tokens']:,} tokens in, {usage['output_tokens']:,} out{usd}"
    )
    name = limit.partition(" ")[0]
    anew = f", and `version`: {version} is released" if version else ""
    if name in OF_BUDGET:
        limit = f"{section}.budget.{limit}"
        step = f"raise `{section}.budget.{name}`{anew}; then {AGAIN}"
    elif f"{section}.attempts" in limit:
        step = f"be content with what there is, or raise `{section}.attempts` or `pairs.n`{anew}"
    else:  # a drought, whose answers are kept: the same requests would bring the same
        step = f"be content with what there is, or change `{section}.teacher.model` or `seed`{anew}"
    return LimitReachedError(f"Ended by a limit, {limit}: {got}; {cost}", where or section, step)


def raise_if_reached(hub: Hub, uri: HfUri, version: str = "") -> None:
    """Stop where a limit ended the making of a pinned dataset, now or when it was made. It holds what there is.

    Args:
        version: see `reached`.

    Raises:
        LimitReachedError: one did.
    """
    manifest = hub.manifest(uri)
    counts, usage = manifest["counts"], manifest["usage"]
    if manifest["stage"] == "synthesize" and counts.get("limit"):
        wanted = f"{counts['accepted']} of {counts['wanted']} rows accepted, " if "wanted" in counts else ""
        got = f"{wanted}{counts['out']} lines of {counts['in']} pairs asked"
        raise reached(counts["limit"], "synthesize", got, usage, uri.to_uri(), version)
    if limit := (counts.get("proposals") or {}).get("limit"):
        found = counts["proposals"]
        kept = f"{found.get('products_kept', 0)} products and {found.get('values_kept', 0)} values kept"
        got = f"{kept}, {found['failures'].get('limit', 0)} questions left"
        raise reached(limit, "pairs.propose", got, usage, uri.to_uri(), version)
