"""Build the page: one Gradio component whose HTML the server draws anew after each press."""

# No `from __future__ import annotations`: Gradio resolves the annotations of `act` among the names of the module.

import itertools
import traceback
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from scripts.core.log import log
from scripts.labelling import screens
from scripts.labelling.items import Item
from scripts.labelling.labelling_session import LabellingSession, pseudonym
from scripts.labelling.vote_log import VoteLog

_drawn = itertools.count()
HERE = Path(__file__).parent
LANGUAGE = '<script>document.documentElement.lang = "ko"</script>'
NOT_SAVED = "저장하지 못했습니다. 잠시 뒤에 다시 눌러 주세요."
NO_NAME = "별명을 적어 주세요. 이메일은 쓸 수 없습니다."


def build_page(items: Sequence[Item], vote_log: VoteLog, question: str, seed: int) -> Any:
    """Build the page (`gradio.Blocks`) on which people vote on items, in their order, each vote kept at once."""
    import gradio as gr

    def act(session: LabellingSession | None, event: gr.EventData) -> tuple[str, LabellingSession | None]:
        """Do what was pressed; return the next screen and the session, None before it starts."""
        notice = ""
        try:
            press = dict(event._data)
            if session:
                _press(session, press)
            elif press.get("act") == "start":  # else the server was started anew since
                voter = pseudonym(str(press.get("voter")))
                if not voter:
                    return _screen(screens.start_screen(question, len(items), NO_NAME)), None
                session = LabellingSession(items, vote_log, question, voter, seed)
        except Exception:  # a visitor sees a sentence, never a traceback
            log(f"label: a press failed\n{traceback.format_exc()}")
            notice = NOT_SAVED
        if not session:
            return _screen(screens.start_screen(question, len(items)), notice), None
        item = session.current
        session.show()
        return _screen(screens.vote_screen(session, item) if item else screens.done_screen(session), notice), session

    with gr.Blocks(title="카피 고르기", analytics_enabled=False) as page:
        state = gr.State()
        stage = gr.HTML(
            _screen(screens.start_screen(question, len(items))),
            js_on_load=(HERE / "page.js").read_text(encoding="utf-8"),
            apply_default_css=False,
        )
        gr.HTML('<p id="notice" role="status" aria-live="polite"></p>', apply_default_css=False)
        stage.act(act, state, [stage, state], show_progress="hidden", concurrency_limit=None, api_visibility="private")
    return page


def _press(session: LabellingSession, press: dict[str, Any]) -> None:
    """Do what was pressed; a press meant for another item does nothing."""
    name, item = press.get("act"), session.current
    if name == "undo":
        session.undo()
    elif name == "unskip":
        session.unskip()
    elif item and item.id == press.get("item"):
        if name == "skip":
            session.skip()
        elif name in ("first", "second", "tie"):
            session.vote(name)


def _screen(html: str, notice: str = "") -> str:
    """A screen with a number of its own, or the page would not notice that it is new, and with a notice to show."""
    return f'{html}<i hidden data-drawn="{next(_drawn)}" data-notice="{escape(notice)}"></i>'
