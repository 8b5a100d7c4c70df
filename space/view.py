"""How the page looks: pieces of HTML, the theme, two small scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from gradio.themes.utils import fonts
from huggingface_hub.constants import ENDPOINT
from model import Model

State = Literal["writing", "done", "problem"]

#: Fonts that the visitor's system has; nothing is fetched.
SANS = (
    "Pretendard",
    "-apple-system",
    "BlinkMacSystemFont",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "NanumGothic",
    "Segoe UI",
    "system-ui",
    "sans-serif",
)
MONO = ("ui-monospace", "Menlo", "Consolas", "D2Coding", "monospace")

HEAD = '<script>document.documentElement.lang = "ko"</script>'

#: One listener for every copy button that will ever stand in the list. Without HTTPS there is no clipboard API.
COPY_BUTTONS = """
element.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-copy]');
  if (!button) return;
  const texts = [...element.querySelectorAll('.line')].map((line) => line.textContent);
  const text = button.dataset.copy === 'all' ? texts.join('\\n') : texts[Number(button.dataset.copy)];
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = Object.assign(document.createElement('textarea'), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
  const label = button.textContent;
  button.textContent = '복사됨';
  setTimeout(() => { button.textContent = label; }, 1500);
});
"""

#: On a phone the list starts below the fold.
SHOW_RESULT = """
() => setTimeout(() => {
  if (innerWidth < 700) document.querySelector('#result').scrollIntoView({ behavior: 'smooth' });
}, 300)
"""


def theme() -> gr.themes.Base:
    """Ink on paper by day, paper on ink by night; the colours themselves stand in page.css."""
    return gr.themes.Base(
        primary_hue="stone",
        neutral_hue="stone",
        radius_size="md",
        font=[fonts.Font(name) for name in SANS],
        font_mono=[fonts.Font(name) for name in MONO],
    )


def header(title: str) -> str:
    return f"<header><h1>{escape(title)}</h1><p>상품과 담을 가치를 적으면 한 줄 광고 카피를 씁니다.</p></header>"


def example(pair: dict[str, Any]) -> str:
    """Label of an example's button."""
    return f"{pair['product']} · {', '.join(pair['values'])}"


def button(busy: bool) -> Any:
    """The main button, while writing and otherwise."""
    return gr.Button("쓰는 중…" if busy else "카피 쓰기", interactive=not busy)


def state(model: Model) -> str:
    """Whether the model is there: a sentence while it is not."""
    if model.ready:
        return ""
    if model.problem:
        return f'<p class="state problem" role="alert">{escape(model.problem)}</p>'
    return '<p class="state" role="status">모델을 불러오는 중입니다. 먼저 눌러 두시면 준비되는 대로 씁니다.</p>'


def done(written: int, asked: int) -> str:
    """The sentence over the finished list."""
    if written == asked:
        return f"카피 {written}개를 썼습니다."
    return f"카피 {asked}개 가운데 {written}개를 썼습니다. 나머지는 비었거나 겹쳐서 뺐습니다."


def result(sentence: str = "", lines: Sequence[str] = (), pending: int = 0, state: State = "writing") -> str:
    """The list of lines under its sentence, with room for those that are still to come."""
    if not sentence:
        return '<p class="empty">쓴 카피가 여기에 나타납니다.</p>'
    role = "alert" if state == "problem" else "status"
    items = "".join(
        f'<li><span class="line">{escape(line)}</span>'
        f'<button type="button" data-copy="{number}" aria-label="{number + 1}번째 카피 복사">복사</button></li>'
        for number, line in enumerate(lines)
    )
    copy_all = '<button type="button" data-copy="all">모두 복사</button>' if len(lines) > 1 and state == "done" else ""
    blanks = '<li class="pending" aria-hidden="true"><span></span></li>' * pending
    return (
        f'<div class="bar"><p class="said {state}" role="{role}">{escape(sentence)}</p>{copy_all}</div>'
        f'<ol class="lines" aria-label="쓴 카피">{items}{blanks}</ol>'
    )


def footer(settings: dict[str, Any]) -> str:
    """What wrote the lines, and that a person must check them."""
    revision = settings["revision"]
    parts = [("모델", settings["adapter"], revision), ("기반 모델", settings["base_model"], None)]
    names = [f"{label} {_link(name, sha)}" for label, name, sha in parts]
    if settings["dataset"]:
        names.append(f"데이터 {_link(settings['dataset'], None, 'datasets/')}")
    return (
        "<footer><p>AI가 쓴 글이라 틀리거나 기존 광고 문구와 닮을 수 있습니다. 쓰기 전에 사람이 확인해 주세요.</p>"
        f"<p>{' · '.join(names)}</p></footer>"
    )


def _link(name: str, sha: str | None, prefix: str = "") -> str:
    """A repo's name, linked where the Hub has pages to show (the local one has none)."""
    text = escape(Path(name).name if Path(name).is_absolute() else name) + (f"@{sha[:7]}" if sha else "")
    if Path(name).is_absolute() or not ENDPOINT.startswith("https://"):
        return f"<span>{text}</span>"
    tree = f"/tree/{sha}" if sha else ""
    return f'<a href="{ENDPOINT}/{prefix}{escape(name)}{tree}" target="_blank" rel="noopener">{text}</a>'
