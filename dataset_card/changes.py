"""What changed between two versions of the dataset, and the CHANGELOG.md that tells it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

#: The place of a row that was kept; every other place is a rejection reason.
KEPT = "default"
ARROW = " → "
TITLE = "# Changelog"
_OURS = re.compile(r"<!-- hanjul:version (?P<version>\S+) -->.*?<!-- /hanjul:version -->", re.S)


@dataclass(frozen=True)
class Changes:
    """What `compare` found, in rows.

    The version before had `kept + removed` rows in `default`, this one has `kept + added`.

    Attributes:
        since: tag of the version before.
        added: in `default` now and not before, whether they are new or were rejected.
        removed: in `default` before and not now, whether they are gone or are rejected.
        kept: in `default` before and now.
        moved: `default → leak` -> rows that both versions know and that stand elsewhere now, the most first. Those that
            left `default` are among `removed`, those that came into it among `added`.
    """

    since: str
    added: int
    removed: int
    kept: int
    moved: Mapping[str, int]


def compare(before: Mapping[str, str], after: Mapping[str, str], since: str) -> Changes:
    """What changed from one version to the next.

    Args:
        before, after: row id -> place, which is `default` or a rejection reason.
        since: tag of the version before.
    """
    was = {row for row, place in before.items() if place == KEPT}
    now = {row for row, place in after.items() if place == KEPT}
    moved = Counter(
        f"{before[row]}{ARROW}{after[row]}" for row in before.keys() & after.keys() if before[row] != after[row]
    )
    ordered = sorted(moved.items(), key=lambda item: (-item[1], item[0]))
    return Changes(since, len(now - was), len(was - now), len(was & now), dict(ordered))


def changelog(existing: str, version: str, date: str, changes: Changes | None, rows: int) -> str:
    """The CHANGELOG.md of the dataset repo, the newest version first.

    Args:
        existing: what is there. Its text stays as it is; only a section of ours for the same version is replaced.
        version: e.g. `v0.2.0`.
        date: e.g. `2026-01-31`.
        changes: since the version before; None for the first.
        rows: of config `default`.
    """
    section = _section(version, date, changes, rows)
    for found in _OURS.finditer(existing):
        if found["version"] == version:
            return existing[: found.start()] + section + existing[found.end() :]
    if not existing.strip():
        return f"{TITLE}\n\n{section}\n"
    newest = re.search(r"^(?:## |<!-- hanjul:version )", existing, re.M)
    if newest is None:
        return f"{existing.rstrip()}\n\n{section}\n"
    return f"{existing[: newest.start()]}{section}\n\n{existing[newest.start() :]}"


def _section(version: str, date: str, changes: Changes | None, rows: int) -> str:
    lines = [f"<!-- hanjul:version {version} -->", f"## {version} ({date})", ""]
    if changes is None:
        lines += [f"- 첫 버전: `default` {rows:,}행", f"- First version: {rows:,} rows in `default`"]
    else:
        lines += [
            f"- `default` {rows:,}행. {changes.since} 이후 {changes.added:,}행이 들어오고"
            f" {changes.removed:,}행이 빠졌습니다. {changes.kept:,}행은 그대로입니다.",
            f"- {rows:,} rows in `default`: {changes.added:,} added, {changes.removed:,} removed and"
            f" {changes.kept:,} kept since {changes.since}.",
            *(f"- `{move}`: {count:,}" for move, count in changes.moved.items()),
        ]
    return "\n".join([*lines, "", "<!-- /hanjul:version -->"])
