"""The page: one Gradio component whose HTML the server draws anew after each press."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from scripts.core.log import log
from scripts.labelling import view
from scripts.labelling.items import Item
from scripts.labelling.journal import Journal
from scripts.labelling.visit import Sitting, pseudonym

_drawn = itertools.count()
HERE = Path(__file__).parent
LANGUAGE = '<script>document.documentElement.lang = "ko"</script>'
NOT_SAVED = "저장하지 못했습니다. 잠시 뒤에 다시 눌러 주세요."
NO_NAME = "별명을 적어 주세요. 이메일은 쓸 수 없습니다."


def build_page(items: Sequence[Item], journal: Journal, question: str, seed: int) -> gr.Blocks:
    """The page on which people vote on items, in their order, each vote kept at once."""

    def act(sitting: Sitting | None, event: gr.EventData) -> tuple[str, Sitting | None]:
        """What a press does: the next screen, and whose visit it is."""
        said = ""
        try:
            press = dict(event._data)
            if sitting:
                _press(sitting, press)
            elif press.get("act") == "start":  # else the server was started anew since
                voter = pseudonym(str(press.get("voter")))
                if not voter:
                    return _screen(view.start(question, len(items), NO_NAME)), None
                sitting = Sitting(items, journal, question, voter, seed)
        except Exception as error:  # a visitor sees a sentence, never a traceback
            log(f"label: a press failed: {error!r}")
            said = NOT_SAVED
        if not sitting:
            return _screen(view.start(question, len(items)), said), None
        item = sitting.current
        sitting.show()
        return _screen(view.vote(sitting, item) if item else view.done(sitting), said), sitting

    with gr.Blocks(title="한 줄 고르기", analytics_enabled=False) as page:
        state = gr.State()
        stage = gr.HTML(
            _screen(view.start(question, len(items))),
            js_on_load=(HERE / "page.js").read_text(encoding="utf-8"),
            apply_default_css=False,
        )
        gr.HTML('<p id="said" role="status" aria-live="polite"></p>', apply_default_css=False)
        stage.act(act, state, [stage, state], show_progress="hidden", concurrency_limit=None, api_visibility="private")
    return page


def _press(sitting: Sitting, press: dict[str, Any]) -> None:
    """Do what was pressed; a press meant for another item does nothing."""
    name, item = press.get("act"), sitting.current
    if name == "undo":
        sitting.undo()
    elif name == "unskip":
        sitting.unskip()
    elif item and item.id == press.get("item"):
        if name == "skip":
            sitting.skip()
        elif name in ("first", "second", "tie"):
            sitting.vote(name)


def _screen(html: str, said: str = "") -> str:
    """A screen unlike the one before, or the page would not notice; and what is to be said of it."""
    return f'{html}<i hidden data-drawn="{next(_drawn)}" data-said="{escape(said)}"></i>'
