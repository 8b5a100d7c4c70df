"""What an endpoint would be asked, for people: the requests, tokens and cost of a run that has not begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.endpoint.spending.prices import Price


@dataclass(frozen=True)
class Asked:
    """An endpoint, and what it would be sent.

    Attributes:
        who: what the recipe calls it, e.g. judge.
        model: its name, and the address that is asked.
        what: for what, in words.
        requests, most_requests: at least and at most; retries come on top.
        fewest: when it is at least, in words; empty where both are one.
        input_tokens, output_tokens: of `requests`, about.
        most_output_tokens: of one answer.
        price: USD per million tokens, or None where none is known.
        place: where the recipe names it.
        limits: the settings `max_…` that are set.
        missing: what it lacks, each with its next step.
    """

    who: str
    model: str
    what: str
    requests: int
    most_requests: int
    fewest: str
    input_tokens: int
    output_tokens: int
    most_output_tokens: int
    price: Price | None
    place: str
    limits: dict[str, Any]
    missing: tuple[str, ...]

    def table(self) -> str:
        """In columns."""
        tokens_in = round(self.input_tokens * self.most_requests / self.requests)
        tokens_out = self.most_requests * self.most_output_tokens
        cost = f"unknown; give `{self.place}.price`"
        if self.price:
            least, most = (
                self.price.usd(*tokens) for tokens in ((self.input_tokens, self.output_tokens), (tokens_in, tokens_out))
            )
            cost = f"about {least:.2f} USD, {most:.2f} at most" if most else "none: the model runs on this machine"
        requests = f"{self.requests:,}"
        if self.most_requests > self.requests:
            requests += f" {self.fewest}: {self.most_requests:,} at most"
        return columns(
            {
                self.who: self.model,
                "for": self.what,
                "requests": f"{requests}, retries not counted",
                "tokens": f"about {self.input_tokens:,} in, {self.output_tokens:,} out; "
                f"{tokens_in:,} in, {tokens_out:,} out at most",
                "cost": cost,
                "limits": in_words(self.limits),
                "missing": missing_in_words(self.missing),
            }
        )


@dataclass(frozen=True)
class Judged:
    """What is to be judged after the calibration.

    Attributes:
        systems: whose lines are scored, and compared with each other.
        lines: of each system.
        scored, compared: rows, and pairs of lines, beside those: what people voted on.
    """

    systems: int = 0
    lines: int = 0
    scored: int = 0
    compared: int = 0


def columns(rows: dict[str, str]) -> str:
    """Names and what they stand for; later lines of one stand under its first."""
    width = max(10, *(len(name) + 1 for name in rows))
    return "\n".join(f"{name:<{width}}{text}".replace("\n", "\n" + " " * width) for name, text in rows.items())


def in_words(limits: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in limits.items()) or "none"


def missing_in_words(missing: Sequence[str]) -> str:
    return "\n".join(missing) or "nothing"
