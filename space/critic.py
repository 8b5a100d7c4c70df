"""What may be written for, which lines have a fault, and how good the others are: Hanjul's rules and judge.

Both come with the folder: package `checks`, which `hanjul space` writes, and the judge's file. What a visitor typed is
data here as everywhere: it is looked through for words, and nothing in it is obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

#: Rules that look at product and values too, which are the visitor's own words and no fault of the line: 한자 in a
#: product, a Latin brand as value. They are asked about the line alone.
OF_THE_LINE = frozenset({"format", "length", "script"})
#: Words of two letters and more; a small model that lost its thread says one again: 푹신한 푹신한, 털이 잘 빠져서 털이.
WORD = re.compile(r"[^\W_]{2,}")
ANY_REQUEST = {"product": "상품", "values": ["가치"]}


class Critic:
    """The rules and the judge of a folder.

    Args:
        judge: the judge's file in the folder; "" for none, and all lines are equally good.
    """

    def __init__(self, folder: Path, judge: str) -> None:
        self._judge_file = folder / judge if judge else None

    def load(self) -> None:
        """Load what the first line would wait for: Kiwi, the rules' lists and wordings, the judge."""
        from checks.text.morphemes import kiwi

        kiwi()
        self.fault("제습기", ["뽀송함"], "장마에도 수건은 햇볕 냄새")
        self.scores("제습기", ["뽀송함"], ["장마에도 수건은 햇볕 냄새"])

    def refuse(self, product: str, values: Sequence[str]) -> str:
        """Why nothing is written for a request, as a key of `messages`: what nobody may advertise or what insults or
        names a person; "" where something is."""
        from checks.filters.rules import forbidden, profanity
        from checks.filters.word_lists import first_word

        if found := forbidden.forbidden(product, values):
            return f"refuse-{found[0]}"
        if found := first_word(profanity.WORDS, (product, *values), product):
            return "refuse-sexual" if found[0] == "sexual" else "refuse-swearing"
        return "refuse-personal" if any(map(self.is_personal, (product, *values))) else ""

    def is_personal(self, text: str) -> bool:
        """Whether a text holds an e-mail address, a phone number or another number of a person."""
        from checks.filters.rules import personal

        return personal.check({"ad_copy": text, "product": "", "values": []}, self._limits) is not None

    def fault(self, product: str, values: Sequence[str], line: str) -> str:
        """The reason of the first rule that a line breaks, such as `leak` or `claim`; "" where it breaks none.

        A line without Hangul is one of `format`. Of the page alone is `repetition`: a word stands there twice. People
        do that on purpose, and small models when they have nothing more to say.
        """
        from checks.filters.apply_rules import RULES

        row = {"product": product, "values": list(values), "ad_copy": line, "source": "synthesised"}
        for reason, check in RULES.items():
            if check(row | ANY_REQUEST if reason in OF_THE_LINE else row, self._limits) is not None:
                return str(reason)
        words = WORD.findall(line)
        return "repetition" if len(set(words)) < len(words) else ""

    def scores(self, product: str, values: Sequence[str], lines: Sequence[str]) -> list[float]:
        """How good lines are, in order: the judge's log-odds that a reader calls each usable."""
        if self._judge is None:
            return [0.0] * len(lines)
        rows = [{"product": product, "values": list(values), "ad_copy": line} for line in lines]
        return [float(score) for score in self._judge.log_odds(rows)]

    @cached_property
    def _limits(self) -> Any:
        from checks.filters.limits import Limits

        return Limits()

    @cached_property
    def _judge(self) -> Any:
        if self._judge_file is None:
            return None
        from checks.judging.sense.published import read_judge

        return read_judge(self._judge_file)
