"""Config `preferences`: for one prompt the line that was released and one that was not, for `DPOTrainer`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pipelines.filters.gate import is_synthesised, sense
from pipelines.filters.rules.cliches.forms import listed_cliche
from pipelines.rows import pair_of, row_id, user_message

Rows = Sequence[Mapping[str, Any]]

#: Reasons that say that a line is worse. The others say that it is broken, or no worse but there already.
WORSE = ("leak", "template", "judge", "outranked")


def preferences_of(kept: Rows, rejected: Rows, min_margin: float) -> list[dict[str, Any]]:
    """Pairs of a kept line and a worse one for the same product and values: by the same teacher, or both by people.

    The kept line is good in itself: a teacher's passed the gate or, where nobody judged, is set against lines that
    break a rule alone. People say themselves which of their lines is flat: each is set against the good lines of its
    pair or, where there is none, the plain ones.

    Args:
        kept, rejected: as the filters parted them; outranked lines are among the rejected.
        min_margin: by how much P(usable) of the worse line has to be lower where both have it. Where nobody judged, an
            outranked line is only a later one, and no pair is made of it.

    Returns:
        Rows of config `preferences`, in the order of `kept`: id, product, values, prompt, chosen, rejected (lists of
        messages), chosen_id, rejected_id, reason (why the other was not released), margin (of P(usable); null where
        one has none, and where people said which is better).
    """
    worse: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rejected:
        if row["reason"] in WORSE if is_synthesised(row) else _is_flat(row):
            worse[_prompt(row)][row["id"]] = row  # once, however often it was written
    with_good = {pair_of(row) for row in kept if not is_synthesised(row) and row["merit"] == "good"}
    pairs: list[dict[str, Any]] = []
    for row in kept:
        others = worse[_prompt(row)].values()
        if is_synthesised(row):
            pairs += _scored_pairs(row, others, min_margin)
        elif row["merit"] == ("good" if pair_of(row) in with_good else "plain"):
            pairs += [_pair(row, other, None) for other in others]
    return pairs


def _scored_pairs(
    better: Mapping[str, Any], others: Iterable[Mapping[str, Any]], min_margin: float
) -> Iterator[dict[str, Any]]:
    for worse in others:
        margin = _margin(better, worse)
        if _is_worse_unscored(worse) if margin is None else margin >= min_margin:
            yield _pair(better, worse, margin)


def _pair(better: Mapping[str, Any], worse: Mapping[str, Any], margin: float | None) -> dict[str, Any]:
    return {
        "id": row_id(better["product"], better["values"], f"{better['id']} {worse['id']}"),
        "product": better["product"],
        "values": better["values"],
        "prompt": [user_message(better["product"], better["values"])],
        "chosen": [{"role": "assistant", "content": better["ad_copy"]}],
        "rejected": [{"role": "assistant", "content": worse["ad_copy"]}],
        "chosen_id": better["id"],
        "rejected_id": worse["id"],
        "reason": worse["reason"],
        "margin": margin,
    }


def _is_flat(row: Mapping[str, Any]) -> bool:
    """Whether people wrote a line that nothing else is wrong with than that it is flat."""
    return bool(row["merit"] == "flat" and row["reason"] == "outranked")


def _is_worse_unscored(row: Mapping[str, Any]) -> bool:
    """Whether a line is worse by itself: it leaks or is a cliché of the list. An ending that others have is not."""
    return row["reason"] == "leak" or (row["reason"] == "template" and listed_cliche(row["ad_copy"]) is not None)


def _prompt(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return *pair_of(row), is_synthesised(row), row["teacher"]


def _margin(better: Mapping[str, Any], worse: Mapping[str, Any]) -> float | None:
    one, other = sense(better), sense(worse)
    return None if one is None or other is None else one - other
