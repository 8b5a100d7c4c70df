"""Render the screens of the page as HTML. Lines are models' and strangers' text: all of it is escaped."""

from __future__ import annotations

from html import escape

from model_card.comparison.agreement import OVERALL
from pipelines.metrics import METRICS
from scripts.labelling.items import Item
from scripts.labelling.labelling_session import LONGEST_NAME, LabellingSession

#: Question -> its sentence.
QUESTION_TEXTS = {
    OVERALL: "어느 카피가 더 좋은가요?",
    **{key: metric.comparison for key, metric in METRICS.items()},
}


def start_screen(question: str, items: int, problem: str = "") -> str:
    """The first screen: the question, and a field for the pseudonym."""
    warning = f'<p class="problem" role="alert" id="wrong">{escape(problem)}</p>' if problem else ""
    invalid = ' aria-invalid="true"' if problem else ""
    return (
        f'<section class="start"><h1>{escape(QUESTION_TEXTS[question])}</h1>'
        "<p>같은 상품과 가치로 쓴 두 카피를 보고 나은 쪽을 고릅니다. "
        f"모두 {items}쌍이고, 멈춘 곳에서 언제든 이어서 할 수 있습니다.</p>"
        '<form><label for="voter">별명</label><div class="field">'
        f'<input id="voter" maxlength="{LONGEST_NAME}" autocomplete="nickname" aria-describedby="open wrong"{invalid} '
        f'required><button type="submit">시작</button></div>{warning}'
        '<p class="note" id="open">고른 결과는 별명과 함께 공개될 수 있습니다. 실명이나 이메일은 적지 마세요.</p>'
        "</form></section>"
    )


def vote_screen(session: LabellingSession, item: Item) -> str:
    """The screen of an item: two lines to choose from."""
    first, second = session.lines(item)
    values = ", ".join(item.values)
    undo = "" if session.can_undo else " disabled"
    return (
        f'<section class="item" data-item="{item.id}">{_progress(session)}'
        f'<h1 tabindex="-1" data-focus><span class="product">{escape(item.product)}</span> '
        f'<span class="values">{escape(values)}</span></h1>'
        f'<p class="asked">{escape(QUESTION_TEXTS[session.question])}</p>'
        f'<div class="choices">{_card("first", 1, "←", first)}{_card("second", 2, "→", second)}</div>'
        '<div class="others"><button type="button" data-act="tie" aria-keyshortcuts="ArrowDown 0 Space">무승부'
        " <kbd>↓</kbd></button>"
        '<button type="button" data-act="skip" aria-keyshortcuts="S">건너뛰기 <kbd>S</kbd></button>'
        f'<button type="button" data-act="undo" aria-keyshortcuts="Backspace U"{undo}>되돌리기 <kbd>U</kbd></button>'
        "</div></section>"
    )


def done_screen(session: LabellingSession) -> str:
    """The last screen: nothing is left, or only what was skipped."""
    skipped = len(session.skipped)
    if skipped:
        words = f"{session.voted}쌍에 투표했고 {skipped}쌍을 건너뛰었습니다."
        again = f'<button type="button" data-act="unskip">건너뛴 {skipped}쌍 보기</button>'
    else:
        words, again = f"{session.voted}쌍에 모두 투표했습니다. 투표는 저장되었으니 이 창은 닫아도 됩니다.", ""
    undo = '<button type="button" data-act="undo">되돌리기 <kbd>U</kbd></button>' if session.can_undo else ""
    return (
        f'<section class="done">{_progress(session)}<h1 tabindex="-1" data-focus>고맙습니다</h1>'
        f'<p>{words}</p><div class="others">{again}{undo}</div></section>'
    )


def _card(act: str, number: int, arrow: str, line: str) -> str:
    return (
        f'<button type="button" class="choice" data-act="{act}" aria-keyshortcuts="{number}">'
        f'<span class="number">{number}<kbd aria-hidden="true">{arrow}</kbd></span>'
        f'<span class="line">{escape(line)}</span></button>'
    )


def _progress(session: LabellingSession) -> str:
    total, voted = len(session.items), session.voted
    return (
        f'<div class="progress"><progress max="{total}" value="{voted}" aria-label="투표한 수"></progress>'
        f"<span>{voted}/{total}</span></div>"
    )
