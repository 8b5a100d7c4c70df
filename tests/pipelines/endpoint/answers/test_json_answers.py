from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.endpoint.answers.json_answers import (
    JSON_TOKENS,
    JSON_TOKENS_PER_LINE,
    is_refusal,
    lines_form,
    lines_of,
    schema_of,
)
from pipelines.filters.apply_rules import RULES
from pipelines.text.plain_answers import one_copy
from tests.limits import limits

LIMITS = limits(gated=False)
#: The two lines that every answer of the table holds.
FIRST, SECOND = "향이 먼저 깨는 아침", "컵보다 늦게 온 월요일"
BOTH = [FIRST, SECOND]
ASKED_FOR = json.dumps({"copies": BOTH}, ensure_ascii=False)

SHAPES = {
    # JSON, as asked for and as models without structured output make it
    "as asked for": ASKED_FOR,
    "escaped": json.dumps({"copies": BOTH}),
    "indented": json.dumps({"copies": BOTH}, ensure_ascii=False, indent=2),
    "bare list": json.dumps(BOTH, ensure_ascii=False),
    "objects": json.dumps([{"copy": line} for line in BOTH], ensure_ascii=False),
    "numbered objects": json.dumps(
        {"copies": [{"id": number, "text": line} for number, line in enumerate(BOTH, 1)]}, ensure_ascii=False
    ),
    "objects with more": json.dumps(
        [{"device": "대구", "copy": line, "reason": "좋다"} for line in BOTH], ensure_ascii=False
    ),
    "another key": json.dumps({"카피": BOTH}, ensure_ascii=False),
    "other keys besides": json.dumps({"product": "모카포트", "n": 2, "copies": BOTH}, ensure_ascii=False),
    "padded": json.dumps({"copies": [f" {FIRST} ", f"\n{SECOND}"]}, ensure_ascii=False),
    "twice the same line": json.dumps({"copies": [FIRST, FIRST, SECOND, FIRST]}, ensure_ascii=False),
    "empty lines between": json.dumps({"copies": [FIRST, "", "…", SECOND, "OK"]}, ensure_ascii=False),
    "comma after the last": f'{{"copies": ["{FIRST}", "{SECOND}",]}}',
    "fenced": f"```json\n{ASKED_FOR}\n```",
    "fenced without a language": f"```\n{ASKED_FOR}\n```\n",
    "fenced with words around": f"요청하신 카피입니다.\n\n```json\n{ASKED_FOR}\n```\n\n도움이 되셨길 바랍니다!",
    "words before": f"네, 두 줄 써 보았습니다: {ASKED_FOR}",
    "words after": f"{ASKED_FOR}\n\n첫 줄은 후각을, 둘째 줄은 의인법을 살렸습니다.",
    "brackets in the words before": f"[모카포트]의 {{여유}}를 담았습니다. {ASKED_FOR}",
    "cut off in the third": f'{{"copies": ["{FIRST}", "{SECOND}", "세 번째 줄은 여기',
    "cut off after the comma": f'{{"copies": [\n  "{FIRST}",\n  "{SECOND}",\n',
    "cut off in a fence": f'```json\n{{\n  "copies": [\n    "{FIRST}",\n    "{SECOND}",\n    "세 번',
    # thoughts
    "after thoughts": f"<think>\n여유를 어떻게 보여 줄까? 1. 커피 향이 방을 채운다\n</think>\n\n{ASKED_FOR}",
    "after thoughts with JSON": f'<think>예: {{"copies": ["버릴 줄", "이 줄도"]}}</think>{ASKED_FOR}',
    "after other thoughts": f"<thinking>버릴 줄\n이 줄도</thinking>\n{FIRST}\n{SECOND}",
    "after thoughts that the prompt began": f"버릴 줄을 먼저 떠올렸다.\n이 줄도.\n</think>\n\n{ASKED_FOR}",
    "plain text after thoughts that the prompt began": f"버릴 줄을 먼저.\n이 줄도.\n</think>\n\n{FIRST}\n{SECOND}",
    # lists in plain text
    "lines": f"{FIRST}\n{SECOND}",
    "lines with blanks": f"\n{FIRST}\n\n   \n{SECOND}\r\n\n",
    "numbered": f"1. {FIRST}\n2. {SECOND}",
    "numbered with brackets": f"1) {FIRST}\n2) {SECOND}",
    "numbered in brackets": f"(1) {FIRST}\n(2) {SECOND}",
    "bulleted": f"- {FIRST}\n- {SECOND}",
    "starred": f"* {FIRST}\n* {SECOND}",
    "dotted": f"• {FIRST}\n· {SECOND}",
    "indented bullets": f"  - {FIRST}\n  - {SECOND}",
    "quoted": f'"{FIRST}"\n"{SECOND}"',
    "typographically quoted": f"“{FIRST}”\n‘{SECOND}’",
    "Korean brackets": f"「{FIRST}」\n『{SECOND}』",
    "numbered and quoted": f'1. "{FIRST}"\n2. "{SECOND}"',
    "labelled": f"카피 1: {FIRST}\n카피 2: {SECOND}",
    "labelled without number": f"카피: {FIRST}\n광고 문구: {SECOND}",
    "labelled with a full-width colon": f"슬로건 1：{FIRST}\n슬로건 2：{SECOND}",
    "labelled and quoted": f'카피 1: "{FIRST}"\n카피 2: "{SECOND}"',
    "bulleted and labelled": f"- 카피 1: {FIRST}\n- 카피 2: {SECOND}",
    "bold": f"**{FIRST}**\n**{SECOND}**",
    "numbered and bold": f"1. **{FIRST}**\n2. **{SECOND}**",
    "bold numbers": f"**1. {FIRST}**\n**2. {SECOND}**",
    "bold labels": f"**카피 1:** {FIRST}\n**카피 2:** {SECOND}",
    "bold labels, quoted": f'**카피 1**: "{FIRST}"\n**카피 2**: "{SECOND}"',
    "labels in brackets": f"[카피 1] {FIRST}\n[카피 2] {SECOND}",
    "fenced lines": f"```\n{FIRST}\n{SECOND}\n```",
    "introduced": f"다음은 요청하신 카피입니다:\n\n1. {FIRST}\n2. {SECOND}",
    "introduced with a full-width colon": f"모카포트 카피 두 줄：\n{FIRST}\n{SECOND}",
    "under a heading": f"### 모카포트 카피\n\n- {FIRST}\n- {SECOND}",
    "introduced, then fenced": f"다음은 카피입니다:\n```\n{FIRST}\n{SECOND}\n```",
}


@pytest.mark.parametrize("answer", SHAPES.values(), ids=SHAPES.keys())
def test_the_lines_are_found_in(answer):
    assert lines_of(answer) == BOTH
    assert not is_refusal(answer)


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        # marks that belong to the line
        ('{"copies": ["\\"괜찮아\\" 한마디", "3시의 햇살"]}', ['"괜찮아" 한마디', "3시의 햇살"]),
        ('"괜찮아" 한마디가 늦은 "오늘"', ['"괜찮아" 한마디가 늦은 "오늘"']),
        ("3시의 햇살, 3,000원의 여유", ["3시의 햇살, 3,000원의 여유"]),
        ("24시간이 모자란 당신에게", ["24시간이 모자란 당신에게"]),
        ("카피 없이도 팔리는 맛", ["카피 없이도 팔리는 맛"]),
        ("오늘의 날씨: 커피 향", ["오늘의 날씨: 커피 향"]),
        # the format filter sees line breaks within a line
        ('{"copies": ["첫째\\n둘째"]}', ["첫째\n둘째"]),
        # one line too many is cut by the caller, one cut off is no line
        ('["가나다", "라마바", "사아자"]', ["가나다", "라마바", "사아자"]),
        ('{"copies": ["가나다, \\"라마바\\"", "사아', ['가나다, "라마바"']),
    ],
)
def test_lines_are_exactly(answer, lines):
    assert lines_of(answer) == lines


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " \n\n ",
        "{",
        '{"copies": [',
        '{"copies": []}',
        '{"copies": ["',
        '{"copies": ["향이 먼저',
        '{"error": "overloaded"}',
        '{"copies": null, "n": 3}',
        '{"copies": ["...", "", "1"]}',
        "null",
        "asdf",
        "!!!!!!!!",
        "Here are two lines of copy:",
        "The aroma wakes up first",
        "<think>아직 생각하는 중이고 끝나지 않았다",
        "다음은 요청하신 카피입니다:",
        "```json\n```",
        "\ufffd\ufffd\x00",
        "[" * 5_000,
        '{"a":' * 5_000,
        "[" + "9" * 5_000 + "]",
        '["' + "\\" * 5_000,
    ],
    ids=lambda answer: repr(answer[:20]),
)
def test_garbage_holds_no_line(answer):
    assert lines_of(answer) == []
    assert not is_refusal(answer)


def test_half_a_character_can_be_stored():
    (line,) = lines_of('{"copies": ["향이 먼저 깬다 \\ud83d"]}')
    assert line.encode().decode().startswith("향이 먼저 깬다")


#: Pieces that answers are made of, so that the random ones come near to real ones.
JSON_PIECES = (*'[]{}",:\\\n', '{"copies": [', '"]}', '", "', "\\u", "\\ud83d", "\\n", "null", "1e9")
TEXT_PIECES = (*"`*-#()<>'“”", "```", "```json\n", "<think>", "</think>", "1. ", "카피 1: ", ":\n", "죄송합니다")
PIECES = st.sampled_from([*JSON_PIECES, *TEXT_PIECES, "향이 먼저", "깬다", " "])


@settings(deadline=None)
@given(st.text() | st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
@example('["향이 먼저" , "\\u12"]')
def test_any_text_is_read(answer):
    lines = lines_of(answer)
    assert all(any("가" <= letter <= "힣" for letter in line) and line == line.strip() for line in lines)
    assert len(set(lines)) == len(lines)
    assert all(line.encode() for line in lines)
    assert is_refusal(answer) in (True, False)


#: What stands between 가 and 나, but no frame: three words in other letters and two in Hangul are no line of copy.
HANGUL_LINES = st.lists(
    st.text(st.characters(codec="utf-8"), max_size=20).filter(lambda text: one_copy(f"가{text}나") == f"가{text}나"),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(HANGUL_LINES, st.booleans(), st.sampled_from([None, 2]), st.booleans())
def test_what_was_asked_for_is_read_whole(texts, escaped, indent, fenced):
    lines = [f"가{text}나" for text in texts]
    answer = json.dumps({"copies": lines}, ensure_ascii=escaped, indent=indent)
    assert lines_of(f"```json\n{answer}\n```" if fenced else answer) == list(dict.fromkeys(lines))


@settings(deadline=None)
@given(HANGUL_LINES, st.integers(0, 400), st.booleans())
def test_of_an_answer_cut_off_anywhere_only_whole_lines_are_read(texts, length, escaped):
    lines = [f"가{text}나" for text in texts]
    answer = json.dumps({"copies": lines}, ensure_ascii=escaped)[:length]
    found = lines_of(answer)
    assert found == list(dict.fromkeys(lines))[: len(found)]
    # The last whole line may lack the comma that says so.
    ends = [len(json.dumps({"copies": lines[:count]}, ensure_ascii=escaped)) - 1 for count in range(1, len(lines) + 1)]
    whole = lines[: sum(end <= length for end in ends)]
    assert len(found) >= len(set(whole[:-1]))


@pytest.mark.parametrize(
    "answer",
    [
        "죄송합니다. 해당 요청은 도와드릴 수 없습니다.",
        "죄송하지만 그 요청은 처리할 수 없습니다.",
        "죄송하지만, 담배 광고는 작성해 드릴 수 없어요.",
        "미안하지만 그 부탁은 들어줄 수 없어요.",
        "정말 죄송합니다만 이 상품의 카피는 쓸 수 없습니다.",
        "저는 그 상품의 광고를 도와드릴 수 없습니다.",
        "해당 상품의 카피는 작성해 드리기 어렵습니다.",
        "요청에 응할 수 없습니다.",
        "도움을 드릴 수 없습니다.",
        "죄송해요. 그런 광고는 쓸 수 없어요.",
        "이 요청은 도와드릴 수가 없습니다.",
        "안전 정책에 따라 해당 문구는 제공해 드릴 수 없습니다.",
        "요청하신 카피는 작성할 수 없습니다.",
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I can’t assist with that request.",
        "I cannot write advertising for this product.",
        "I can’t write this.",
        "As an AI, I do not write tobacco advertising.",
        "<think>담배라니. 안 된다.</think>죄송합니다. 도와드릴 수 없습니다.",
        "```\n죄송합니다. 도와드릴 수 없습니다.\n```",
    ],
)
def test_a_refusal_is_one(answer):
    assert is_refusal(answer)
    row = {"product": "담배", "values": ["여유"], "ad_copy": answer, "source": "synthesised"}
    assert RULES["refusal"](row, LIMITS) == answer


@pytest.mark.parametrize(
    "line",
    [
        "미안해요, 커피 먼저",
        "미안해, 오늘은 나부터",
        "죄송할 만큼 가벼운 가방",
        "사과는 없습니다, 배가 있습니다",
        "멈출 수 없는 한 입",
        "거절할 수 없는 향",
        "참을 수 없는 가벼움, 420g",
        "도와줄 사람 없는 밤의 편의점",
        "할 수 없다는 말은 신발장에",
        "AI도 못 맡는 냄새",
        "소리 없이 사과하는 법",
        "미안하지만 오늘은 내가 먼저 누울게",
        "죄송합니다, 너무 편해서 늦잠 잤습니다",
    ],
)
def test_a_line_of_copy_is_no_refusal(line):
    assert not is_refusal(line)
    assert lines_of(line) == [line]
    row = {"product": "모카포트", "values": ["설렘"], "ad_copy": line, "source": "synthesised"}
    assert RULES["refusal"](row, LIMITS) is None


def test_lines_in_json_are_no_refusal():
    answer = json.dumps({"copies": ["죄송합니다, 오늘도 품절입니다", FIRST]}, ensure_ascii=False)
    assert not is_refusal(answer)
    assert lines_of(answer) == ["죄송합니다, 오늘도 품절입니다", FIRST]


def test_the_filter_sees_refusals_of_teachers_alone():
    row = {"product": "담배", "values": ["여유"], "ad_copy": "죄송합니다만 쓸 수 없습니다", "source": "written"}
    assert RULES["refusal"](row, LIMITS) is None
    assert RULES["refusal"]({**row, "source": "synthesised"}, LIMITS) == "죄송합니다만 쓸 수 없습니다"
    assert RULES["refusal"]({**row, "source": "synthesised", "ad_copy": ""}, LIMITS) == "no line"


def test_form_asks_for_what_it_reads():
    form = lines_form(4, 40)
    assert form.read(ASKED_FOR) == BOTH
    assert form.response_format == schema_of(4)
    assert form.max_new_tokens == 4 * (40 + JSON_TOKENS_PER_LINE) + JSON_TOKENS
    assert schema_of(4) == {
        "type": "json_schema",
        "json_schema": {
            "name": "copies",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {
                    "copies": {"type": "array", "items": {"type": "string"}, "description": "서로 다른 카피 4개"}
                },
                "required": ["copies"],
                "additionalProperties": False,
            },
        },
    }
