"""Sentences in both languages, and that nothing is said without one."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import messages
import pytest
from messages import MESSAGES, both, text

SPACE = Path(messages.__file__).parent


def names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", MESSAGES)
def test_both_languages_say_it_with_the_same_facts(key: str) -> None:
    korean, english = MESSAGES[key]
    assert names(korean) == names(english)
    assert re.search("[가-힣]", korean) and re.search("[a-z]{3}", english)
    assert korean.rstrip("”").endswith((".", "…", "}", ")")) or "예: " in korean
    assert "니다." in korean or "요." in korean or names(korean)


def test_english_holds_no_korean_but_examples() -> None:
    for key, (_, english) in MESSAGES.items():
        without = re.sub(r"제습기|뽀송함, 여유", "", english)
        assert not re.search("[가-힣]", without), key


def test_every_key_in_the_code_has_a_sentence_and_every_sentence_a_use() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SPACE.rglob("*.py") if path.name != "messages.py")
    raised = set(re.findall(r'Problem\(\s*"([a-z_-]+)"', code))
    assert raised <= MESSAGES.keys()
    # What critic, engines and feedback say is theirs to use, and may be computed.
    others = {key for key in MESSAGES if key.startswith(("refuse-", "load-", "feedback_"))}
    assert {key for key in MESSAGES if f'"{key}"' not in code} <= others


def test_facts_are_put_in_and_braces_of_a_visitor_stay() -> None:
    assert (
        text("long_value", "ko", most=20, start="{0}") == "가치 하나는 20자까지입니다. 길면 쉼표로 나눠 주세요: “{0}…”"
    )
    assert both("rated_under_base", adapter=0.4123, base=0.5)["en"].endswith(
        "this model (0.41) is rated under its base model (0.50)."
    )
    with pytest.raises(KeyError):
        text("long_value", "en")
