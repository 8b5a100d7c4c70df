"""한 줄: a page that writes lines of Korean ad copy with the adapter named in `settings.json`.

python app.py
"""

# ruff: noqa: E402
from __future__ import annotations

import os
import sys
from pathlib import Path

ENVIRONMENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # For a dashboard that is not served, Gradio would keep each call and make statistics of all of them at its end.
    "GRADIO_ANALYTICS_MAX_EVENTS": "16",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),
}
for name, value in ENVIRONMENT.items():
    os.environ.setdefault(name, value)  # all are read at import
HERE = Path(__file__).absolute().parent
sys.path.insert(0, str(HERE))  # in a Hub cache app.py is a link, and Python looks for siblings beside its target

import engines
import server
import settings
from critic import Critic
from feedback import Feedback
from selection import Selection
from writer import Writer


def main() -> None:
    """Serve the page, and load the model meanwhile."""
    chosen = settings.read(HERE)
    engine, critic = engines.choose(chosen), Critic(HERE, chosen.judge)
    writer = Writer(engine, critic, lambda like: Selection(like=like), chosen.prompt_format)
    feedback = Feedback(
        chosen.feedback, chosen.adapter, chosen.revision, engine.name, personal=critic.is_personal, page=chosen.title
    )
    page = server.build(chosen, writer, feedback, HERE / "page")
    if settings.ON_ZERO_GPU:
        writer.loader.start()
    server.launch(page)
    if not settings.ON_ZERO_GPU:
        writer.loader.start()  # only now: its imports would hold up the page
    page.get_blocks().block_thread()


if __name__ == "__main__":
    main()
