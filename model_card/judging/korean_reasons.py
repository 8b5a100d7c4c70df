"""Reasons in Korean, as cards and pages show them: an LLM judge that gives another is asked once to say it again."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable

from model_card.judging.geval_answers import NoScoreError
from model_card.judging.rubrics import reason_again
from pipelines.endpoint.answers.json_answers import REFUSAL
from pipelines.endpoint.answers.thoughts import without_thoughts
from pipelines.endpoint.failures import BudgetSpentError, EndpointGoneError

#: Of the letters of a reason, at least so many are Hangul; names and single words may be of another script.
LEAST_HANGUL = 0.5
#: Stands behind a reason that stayed in another language.
MARK = "(한국어로 쓰지 않은 이유)"

#: What a reason quotes, the line for instance, is in no language of its own.
_QUOTED = re.compile(r"""(?<!\w)(['"]).*?\1(?![A-Za-z])|[‘“「『《].*?[’”」』》]""")
_HANGUL = re.compile("[가-힣ㄱ-ㅎㅏ-ㅣ]")


def is_korean(reason: str) -> bool:
    """Whether a reason is written in Korean, whatever it quotes."""
    spoken = _QUOTED.sub(" ", reason)
    letters = [letter for letter in spoken if letter.isalpha()] or [letter for letter in reason if letter.isalpha()]
    hangul = sum(bool(_HANGUL.match(letter)) for letter in letters)
    return hangul > 0 and hangul >= LEAST_HANGUL * len(letters)


async def in_korean(reason: str, ask: Callable[[str], Awaitable[str]]) -> str:
    """A reason in Korean; where asking once more brings none, the reason as it is, marked. An empty one stays empty.

    Args:
        ask: gives the text that answers a prompt.
    """
    if not reason or is_korean(reason):
        return reason
    try:
        again = _said(await ask(reason_again(reason)))
    except (NoScoreError, BudgetSpentError, EndpointGoneError):
        again = ""  # there is a score, and it stays; who asks for the next one is told why there is none
    return again if is_korean(again) else f"{reason} {MARK}"


def _said(answer: str) -> str:
    """The reason that an answer holds, as JSON or bare; empty where there is none."""
    text = without_thoughts(answer)
    if "{" in text:
        try:
            text = json.loads(text[text.index("{") : text.rindex("}") + 1], strict=False)["reason"]
        except (ValueError, TypeError, KeyError):
            return ""
    return "" if REFUSAL.search(str(text)) else " ".join(str(text).split())
