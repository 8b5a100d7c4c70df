"""What a model puts around its lines, in the languages that it falls into; and lines of copy, which stay whole."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.corpus import load_corpus
from pipelines.endpoint.answers.json_answers import lines_of
from pipelines.slogans import load_slogans
from pipelines.text.frames import bare, is_frame
from pipelines.text.plain_answers import lines_in, one_copy
from pipelines.text.tidy import tidy

FIRST, SECOND = "향이 먼저 깨는 아침", "컵보다 늦게 온 월요일"

#: Yes, and here they are; headings and names; what is said of lines; goodbye.
FRAMES = """
네! 아래는 요청하신 카피입니다.
물론입니다!
네, 알겠습니다!
알겠습니다. 요청하신 대로 작성해 드리겠습니다.
다음은 모카포트의 여유를 담은 카피입니다.
요청하신 카피 5개를 작성했습니다.
카피를 제안해 드릴게요!
네, 모카포트 카피를 써 보았습니다.
모카포트 광고 카피 5종을 준비했습니다 😊
아래와 같이 제안드립니다.
여기 모카포트를 위한 한 줄 카피가 있습니다!
좋습니다! 모카포트를 위한 카피 아이디어를 드릴게요.
안녕하세요! 크리에이티브 디렉터입니다.
20년 경력의 크리에이티브 디렉터로서 제안드립니다.
감사합니다!
Sure! Here are 5 lines:
Sure! Here are 5 lines for 모카포트.
Here's a line for "모카포트":
Of course!
以下是…
以下是为“모카포트”撰写的五条文案
当然可以！
好的，以下是文案：
はい、モカポットのコピーです。
もちろんです！
以下は「모카포트」のコピーです。
**카피 1**
### 카피 1
# 모카포트 광고 카피
Option 2:
[카피]
광고 카피 제안
카피라이팅 결과
결과:
1. 의인법
文案一
キャッチコピー
---
***
==
```
…
- 설명: 커피 향을 의인화했습니다.
(의도: 커피의 여유를 강조)
→ 설명: 여유
Explanation: 커피 향
Note: 여유
이 카피는 커피의 여유를 강조합니다.
첫 줄은 후각을, 둘째 줄은 의인법을 살렸습니다.
번역: The aroma
说明：커피
위 카피들은 모두 커피의 향을 중심으로 구성했습니다.
상품: 모카포트
가치: 여유
글자 수: 12자
訳：香り
필요하시면 더 써 드릴게요.
도움이 되셨길 바랍니다
도움이 되었으면 좋겠습니다!
이상입니다.
수정이 필요하시면 말씀해 주세요.
더 필요하시면 말씀해 주세요!
다른 톤을 원하시면 알려 주세요.
마음에 드시는 카피를 골라 주세요.
추가로 궁금한 점이 있으시면 말씀해 주세요.
혹시 다른 방향을 원하시나요?
더 많은 카피가 필요하시면 언제든지 요청해 주세요!
원하시면 다른 스타일로도 작성해 드릴 수 있어요.
I hope you like these lines for 모카포트!
Let me know if you need more for 모카포트!
""".strip().splitlines()


@pytest.mark.field
@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_is_no_line_wherever_it_stands(frame: str) -> None:
    assert lines_of(frame) == []
    assert one_copy(frame) == ""
    for answer in (
        f"{frame}\n1. {FIRST}\n2. {SECOND}",
        f"{frame}\n\n{FIRST}\n{SECOND}",
        f"{FIRST}\n{SECOND}\n\n{frame}",
    ):
        assert lines_of(answer) == [FIRST, SECOND], answer


SHAPES = {
    "translations in brackets": f"{FIRST} (The aroma wakes first)\n{SECOND} (The Monday that came after the cup)",
    "Chinese ones": f"一、{FIRST}（先醒的香气）\n二、{SECOND}（迟到的星期一）",
    "translations after a dash": f"{FIRST} / The aroma wakes first\n{SECOND} → The late Monday",
    "translations below": f"Copy 1: {FIRST}\nTranslation: The aroma\nCopy 2: {SECOND}\nTranslation: The cup",
    "Japanese labels": f"コピー1：{FIRST}\n訳：香り\nコピー2：「{SECOND}」",
    "English labels": f"**Copy 1:** {FIRST}\n**Tagline 2** — {SECOND}",
    "labels with the product": f"모카포트 카피 1: {FIRST}\n모카포트 카피 2: {SECOND}",
    "ordinal labels": f"첫 번째 카피: {FIRST}\n두 번째 카피: {SECOND}",
    "labels above": f"**카피 1**\n{FIRST}\n\n**카피 2**\n{SECOND}",
    "devices above": f"1. 의인법\n{FIRST}\n2. 대구법\n{SECOND}",
    "devices before": f"1. **의인법**: {FIRST}\n2. **대구법**: {SECOND}",
    "numbered headings": f"### 1. {FIRST}\n### 2. {SECOND}",
    "numbers of other kinds": f"① {FIRST}\n② {SECOND}",
    "keycaps": f"1️⃣ {FIRST}\n2️⃣ {SECOND}",
    "without a space": f"1.{FIRST}\n2.{SECOND}",
    "in one line": f"1. {FIRST} 2. {SECOND}",
    "block quotes": f"> {FIRST}\n> {SECOND}",
    "tags": f"<li>{FIRST}</li>\n<li>{SECOND}</li>",
    "commas": f'"{FIRST}",\n"{SECOND}"',
    "lengths": f"{FIRST} (11자)\n{SECOND} (공백 포함 12자)",
    "explained below": f"1. {FIRST}\n   - 커피 향을 사람처럼 그렸습니다\n2. {SECOND}\n   - 월요일을 늦게 오게 했습니다",
    "explained below, bulleted": f"- {FIRST}\n  - 향이 사람 같아요\n- {SECOND}\n  - 늦은 월요일이에요",
    "explained beside": f"1. **{FIRST}**: 커피 향을 의인화한 카피\n2. **{SECOND}** - 월요일",
    "table": f"| 번호 | 카피 | 설명 |\n|---|---|---|\n| 1 | {FIRST} | 여유를 강조 |\n| 2 | {SECOND} | 대구 |",
    "table, copy last": f"| 번호 | 기법 | 카피 |\n|---|:-:|---|\n| 1 | 의인법 | {FIRST} |\n| 2 | 대구법 | {SECOND} |",
    "table without edges": f"번호 | 카피\n--- | ---\n1 | {FIRST}\n2 | {SECOND}",
    "table without a head": f"| 1 | {FIRST} |\n| 2 | {SECOND} |",
    "fence in the middle": f"네!\n```text\n1. {FIRST}\n2. {SECOND}\n```\n마음에 드시길 바랍니다!",
    "goodbye of a kind that copy may say": f"{FIRST}\n{SECOND}\n\n좋은 하루 되세요!",
    "Python": f"['{FIRST}', '{SECOND}']",
    "typographic quotes": f"[“{FIRST}”, “{SECOND}”]",
    "JSON Lines": f'{{"copy": "{FIRST}"}}\n{{"copy": "{SECOND}"}}',
    "numbered keys": f'{{"copies": {{"1": "{FIRST}", "2": "{SECOND}"}}}}',
    "named keys": f'{{"copy_1": "{FIRST}", "copy_2": "{SECOND}"}}',
    "frames within JSON": f'{{"copies": ["네! 요청하신 카피입니다.", "1. {FIRST}", "카피 2: {SECOND}", "이상입니다"]}}',
    "explanations within JSON": f'["{FIRST}\\n설명: 커피", "{SECOND} (The cup was faster)"]',
}


@pytest.mark.field
@pytest.mark.parametrize("answer", SHAPES.values(), ids=SHAPES.keys())
def test_what_surrounds_a_line_comes_off(answer: str) -> None:
    assert lines_of(answer) == [FIRST, SECOND]


@pytest.mark.field
@pytest.mark.parametrize(
    "answer",
    [
        "<!DOCTYPE html>\n<html><title>점검 중입니다</title><body><p>잠시 후 다시 오세요</p></html>",
        '{"error": {"message": "과부하입니다", "content": "잠시 후 다시 해 보세요"}}',
        '{"errors": ["서버가 쉬고 있습니다"]}',
    ],
)
def test_a_page_and_an_error_hold_no_line(answer: str) -> None:
    assert lines_of(answer) == []


@pytest.mark.field
def test_lists_beside_that_of_the_lines_are_not_theirs() -> None:
    assert lines_of(f'{{"values": ["여유", "설렘"], "copies": ["{FIRST}", "{SECOND}"]}}') == [FIRST, SECOND]
    assert lines_of(f'{{"키워드": ["커피 향기"], "카피": ["{FIRST}"]}}') == [FIRST]


def test_a_last_line_that_copy_may_say_stays_where_it_is_not_set_apart() -> None:
    last = "원하시면 밤새 켜 두세요"
    assert lines_of(f"{FIRST}\n{last}") == [FIRST, last]
    assert lines_of(f"1. {FIRST}\n2. {last}") == [FIRST, last]
    assert lines_of(f"{FIRST}\n\n{last}") == [FIRST]
    assert lines_of(last) == [last]


@pytest.mark.field
def test_a_line_in_quotes_after_an_introduction_is_found() -> None:
    assert lines_in(f'팟캐스트의 카피라이팅은 다음과 같습니다. "{FIRST}"') == [FIRST]
    assert lines_in('Here is a line for "모카포트 커피메이커":') == []


LINES = """
"괜찮아" 한마디가 늦은 "오늘"
3시의 햇살, 3,000원의 여유
0.03초 차로 지고 잠이 오겠어?
1.2볼트, 리모컨은 죄가 없었네
네, 그 커피 맞아요
네 시 반, 펜 긁는 소리로 한 쪽
물론 비 오는 날에도
좋아요, 오늘은 여기까지
카피 없이도 팔리는 맛
다음은 올케 차례
아래는 잠옷으로 참석
필요하시면 언제든 내려오세요
-10도의 아침에도
오늘의 날씨: 커피 향
마음에 드는 색으로 자주 바꿔 바릅니다
PC와 TV 사이, 우리 집
간단한 내용을 적어 두기에 편리한 문구
늦은 이유: 침대가 좋아서
첫 번째 눈은 할머니 댁에서
이 향은 월요일을 모른다
고맙습니다, 여기까지 데려다줘서
""".strip().splitlines()


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_copy_is_no_frame(line: str) -> None:
    assert not is_frame(line)
    assert bare(line) == line
    assert lines_of(line) == lines_of(f"1. {line}\n2. {line}") == [line]


def _real_lines(count: int) -> list[str]:
    lines = [row["ad_copy"] for row in load_corpus()]
    return [*random.Random(7).sample(lines, count), *(row["ad_copy"] for row in load_slogans())]


def test_lines_of_people_come_back_alone_in_a_list_and_with_a_label() -> None:
    lines = _real_lines(3_000)
    for at in range(0, len(lines), 5):
        some = list(dict.fromkeys(lines[at : at + 5]))
        whole = [tidy(line) for line in some]  # a line that is all in quotes loses them there, too
        assert [lines_of(line) for line in some] == [[line] for line in whole]
        assert lines_of("\n".join(f"{number}. {line}" for number, line in enumerate(some, 1))) == whole
        assert lines_of("\n".join(f"카피 {number}: {line}" for number, line in enumerate(some, 1))) == whole
        assert lines_of("\n".join(f'- **Copy:** "{line}"' for line in whole)) == whole
        assert lines_of("\n".join(f"| {number} | {line} |" for number, line in enumerate(some, 1))) == whole
        assert [one_copy(line) for line in some] == whole


@settings(deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from([*FRAMES, *SHAPES.values(), "1.", "|", "**", "\n", "카피"])).map("".join)
)
def test_any_text_is_read_and_what_is_bare_stays_so(text: str) -> None:
    for line in lines_in(text):
        assert line and line == line.strip() and "\n" not in line
    assert bare(bare(text)) == bare(text)


@pytest.mark.parametrize(
    "piece", ["카피 ", "(", "|", "1. ", "**", "요청하신 ", "더 필요하시면 ", "<a", "a ", '"', "- "]
)
def test_a_long_answer_takes_no_time(piece: str) -> None:
    started = time.monotonic()
    lines_in(piece * 20_000)
    lines_in(f"{piece * 20}\n" * 200)
    assert time.monotonic() - started < 3
