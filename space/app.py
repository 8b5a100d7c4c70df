"""한 줄: a page that writes lines of Korean ad copy with the adapter named in `settings.json`.

python app.py
"""

# ruff: noqa: E402
from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).absolute().parent
sys.path.insert(0, str(HERE))  # in a Hub cache app.py is a link, and Python looks for siblings beside its target

import settings
from quick import without_stubs

settings.keep_quiet()
with without_stubs():
    import gradio  # noqa: F401

import engines
from critic import Critic
from feedback import Feedback
from selection import Selection
from web import server
from writer import Writer


def main() -> None:
    """Serve the page, and load the model meanwhile."""
    chosen = settings.read(HERE)
    engine, critic = engines.choose(chosen), Critic(HERE, chosen.judge)
    writer = Writer(engine, critic, lambda like: Selection(like=like), chosen.prompt_format)
    feedback = Feedback(chosen.feedback, chosen.adapter, chosen.revision, engine.name, personal=critic.is_personal)
    page = server.build(chosen, writer, feedback, HERE / "page")
    if settings.ON_ZERO_GPU:
        writer.loader.start()
    server.launch(page)
    if not settings.ON_ZERO_GPU:
        writer.loader.start()  # only now: its imports would hold up the page
    try:
        page.get_blocks().block_thread()
    finally:
        feedback.close()
    writer.close()


if __name__ == "__main__":
    main()
