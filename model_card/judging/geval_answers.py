"""Reads what an LLM judge answers: the digit it chose, its reason, and how likely each digit was."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model_card.judging.rubrics import SCALE
from pipelines.endpoint.answers import json_fields
from pipelines.endpoint.answers.replies import WEIGHED, Token
from pipelines.endpoint.answers.thoughts import after_thoughts
from pipelines.endpoint.failures import Failure, FailureKind

#: A whole number, with what models put after it.
_NUMBER = re.compile(r"\s*(?P<number>\d{1,3})(?:\.0+)?\s*점?\s*(?:/\s*(?P<of>\d{1,3})\s*점?)?\s*")


class NoScoreError(Exception):
    """An answer holds no score, or there is no answer."""

    @property
    def failure(self) -> Failure:
        """The same as a value."""
        return Failure(FailureKind.UNUSABLE, str(self))


class NoAnswerError(NoScoreError):
    """The endpoint or the model would not answer."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self._failure = failure

    @property
    def failure(self) -> Failure:
        return self._failure


class NoProbabilitiesError(NoScoreError):
    """An answer holds a score, but not how likely the other scores were."""


@dataclass(frozen=True)
class Question:
    """What is asked for.

    Attributes:
        field: of the JSON object.
        digits: the answers allowed, each one digit.
        out_of: what a model may write after a slash: 4/5.
    """

    field: str
    digits: tuple[int, ...]
    out_of: int | None = None


SCORE = Question("score", SCALE, max(SCALE))
#: Line 1, line 2, or neither.
BETTER = Question("better", (0, 1, 2))


@dataclass(frozen=True)
class Weighed:
    """How likely each answer is (their sum is 1), and the reason given for one of them."""

    weights: Mapping[int, float]
    reason: str

    @property
    def mean(self) -> float:
        """The mean of the distribution."""
        return sum(digit * weight for digit, weight in self.weights.items())


def chosen(text: str, question: Question) -> tuple[int, str]:
    """The digit and the reason of an answer: a JSON object, with or without words or a fence around it.

    Raises:
        NoScoreError: there is none, not one of those allowed, or more than one.
    """
    values, reason = json_fields.read(after_thoughts(text), question.field)
    if not values:
        raise NoScoreError(f"no JSON with `{question.field}`: {text[:80]!r}")
    found = {_value(value, question) for value in values}
    digit = found.pop()
    if found or digit not in question.digits:
        said = ", ".join(map(repr, dict.fromkeys(map(str, values))))
        raise NoScoreError(f"`{question.field}` is {said}, not one of {', '.join(map(str, question.digits))}")
    return digit, " ".join(reason.split())


def distribution(tokens: Sequence[Token], digit: int, question: Question) -> dict[int, float]:
    """How likely each digit was where the model wrote the one it chose: sum 1, over the digits allowed.

    deepeval's `calculate_weighted_summed_score` is not used: it takes the last token of the answer that equals the
    score, wherever that stands, drops digits below 1 %, counts numbers beyond the scale, and where anything is missing
    GEval goes on with the whole score. Here the token is the one after the field's name, nothing is cut off, and what
    is missing is an error.

    Raises:
        NoProbabilitiesError: the endpoint gave no alternatives for that token, or another token than the answer says.
    """
    spelt = "".join(token for token, _ in tokens)
    places = [match.end() for match in re.finditer(json_fields.before_value(question.field) + r"(?=\d)", spelt)]
    if not places:
        raise NoProbabilitiesError(f"no token after `{question.field}`" if tokens else "an answer without `logprobs`")
    token, alternatives = _at(tokens, places[-1])
    if _digit(token) != digit or len(alternatives) < 2:
        raise NoProbabilitiesError(f"no alternatives to the token {token!r} of `{question.field}`")
    weights = dict.fromkeys(question.digits, 0.0)
    for other, logprob in alternatives.items():
        if (value := _digit(other)) in weights:
            weights[value] += math.exp(logprob)
    total = sum(weights.values())
    if not 0 < total < math.inf:
        raise NoProbabilitiesError(f"the probabilities of `{question.field}` sum to {total}")
    return {value: weight / total for value, weight in weights.items()}


def shares(answers: Sequence[tuple[int, str]], question: Question) -> Weighed:
    """The distribution of several answers; the reason is that of the answer nearest to their mean, the first of them.

    Args:
        answers: digit and reason of each; at least one.
    """
    digits = [digit for digit, _ in answers]
    weights = {digit: digits.count(digit) / len(digits) for digit in question.digits}
    mean = sum(digits) / len(digits)
    return Weighed(weights, min(answers, key=lambda answer: abs(answer[0] - mean))[1])


def _value(value: Any, question: Question) -> int | None:
    """The whole number that a value is, in whatever spelling: 4, 4.0, "４", "4점", "4/5"; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    match = _NUMBER.fullmatch(str(value))
    if not match or (match["of"] and int(match["of"]) != question.out_of):
        return None
    return int(match["number"])


def _at(tokens: Sequence[Token], place: int) -> Token:
    for token in tokens:
        place -= len(token[0])
        if place < 0:
            return token
    raise IndexError(place)  # a place within the joined tokens has one


def _digit(token: str) -> int | None:
    match = WEIGHED.fullmatch(token)
    return int(match[1]) if match else None
