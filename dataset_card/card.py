"""The README of the dataset repo: facts through templates, merged with what a person wrote there."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dataset_card.facts import Facts
from dataset_card.head import TAGS, body_of, config, configs_of, merged, metadata, with_head
from dataset_card.table import numbers, percent
from dataset_card.terms import terms_of
from pipelines.filters.filter_rows import REASONS
from pipelines.metrics import METRICS
from pipelines.text.markdown import cell

__all__ = ["config", "merge_configs", "render", "with_block"]

#: Everything between these is ours and written anew; everything else in a README is a person's and stays.
BEGIN, END = "<!-- hanjul:begin -->", "<!-- hanjul:end -->"


def render(facts: Facts, figures: Sequence[str], existing: str = "") -> str:
    """The README of a release.

    Args:
        figures: paths of pictures in the repo, as `draw_figures` gave them.
        existing: the README that is there; what a person wrote in it is kept: text outside our marks, metadata keys
            that we do not set, tags, configs.
    """
    computed, produced, data = facts.computed, facts.produced, metadata(facts)
    body = _template("card.md.jinja").render(
        given=facts.given,
        produced=produced,
        computed=computed,
        before=computed.before,
        after=computed.after,
        varied=computed.after.diversity,
        figures={Path(path).stem: path for path in figures},
        metrics=list(METRICS.values()),
        reasons=REASONS,
        numbers=numbers(computed),
        terms=terms_of(produced.teacher, produced.teacher_base),
        sources={name: computed.sources.get(name, 0) for name in ("written", "synthesised", "imported")},
        gate=produced.gate,
        from_teacher=computed.from_teacher,
        first_split=next(split for split, (rows, _) in computed.splits.items() if rows),
        configs=[entry["config_name"] for entry in data["configs"]],
    )
    return with_block(existing, data, body)


def merge_configs(existing: str, repo_id: str, name: str, splits: Collection[str] = ()) -> str:
    """The README that is there with one config more, or a minimal one where there is none.

    For the small stages, whose commits are not releases. A README that has the config already comes back as it is.

    Args:
        splits: those of the config that have rows; none given are all.
    """
    entry = config(name, splits)
    if existing:
        if entry in configs_of(existing):
            return existing
        return with_head(merged(existing, {"configs": [entry]}), body_of(existing))
    body = _template("minimal.md.jinja").render(repo_id=repo_id)
    return with_block("", {"language": ["ko"], "tags": TAGS, "configs": [entry]}, body)


def with_block(existing: str, ours: Mapping[str, Any], body: str) -> str:
    """The README that is there, with a body of ours between our marks and our metadata over theirs.

    Args:
        existing: may be empty; text outside the marks is kept, and where there are none the body comes after it.
        ours: metadata with `configs`; see `head.merged`.
    """
    block = f"{BEGIN}\n{body.strip()}\n{END}"
    theirs = body_of(existing)
    # From the last mark that begins, so that a stray one above costs nobody's text.
    text, replaced = re.subn(f"{BEGIN}(?:(?!{BEGIN}).)*?{END}", lambda _: block, theirs, count=1, flags=re.S)
    if not replaced:
        text = f"{theirs.rstrip()}\n\n{block}\n" if theirs.strip() else block + "\n"
    return with_head(merged(existing, ours), text)


def _bibtex(text: str) -> str:
    """Text as a value of BibTeX: what TeX takes for commands stays text."""
    return re.sub(r"([#$%&_{}])", r"\\\1", re.sub(r"[\\~^\s]+", " ", text))


def _template(name: str) -> Any:
    # Markdown for a README: the Hub sanitises what it renders, and escaping would show as entities in tables.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701
    )
    environment.filters |= {"bibtex": _bibtex, "cell": cell, "count": lambda number: f"{number:,}", "percent": percent}
    return environment.get_template(name)
