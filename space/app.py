"""한 줄: a page that writes lines of Korean ad copy with the adapter named in `settings.json`.

python app.py
"""

# ruff: noqa: E402
from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

for name, value in {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}.items():
    os.environ.setdefault(name, value)  # both are read at import
HERE = Path(__file__).absolute().parent
sys.path.insert(0, str(HERE))  # in a Hub cache app.py is a link, and Python looks for siblings beside its target

import gradio as gr
import view
from model import Model
from request import MAX_LINES, TEMPERATURES, Problem, clean
from writer import Writer


def main() -> None:
    """Serve the page; GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say where."""
    settings = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
    model = Model(settings["adapter"], settings["revision"], settings["base_model"])
    build_page(settings, Writer(model, settings["prompt_format"])).launch(
        theme=view.theme(),
        css_paths=HERE / "page.css",
        head=view.HEAD,
        favicon_path=HERE / "favicon.svg",
        footer_links=[],
        ssr_mode=False,
    )


def build_page(settings: dict[str, Any], writer: Writer) -> gr.Blocks:
    """The page.

    Args:
        settings: adapter, revision, base_model, dataset, title and examples, as `settings.json` has them.
    """
    with gr.Blocks(title=settings["title"], analytics_enabled=False) as page:
        gr.HTML(view.header(settings["title"]), apply_default_css=False)
        with gr.Row(elem_classes="fields"):
            product = gr.Textbox(label="상품", placeholder="제습기", max_lines=1, min_width=280)
            values = gr.Textbox(label="담을 가치", placeholder="뽀송함, 여유", max_lines=1, min_width=280)
        with gr.Row(elem_classes="examples"):
            for example in settings["examples"]:
                chosen = json.dumps([example["product"], ", ".join(example["values"])], ensure_ascii=False)
                button = gr.Button(view.example(example), size="sm", elem_classes="example")
                button.click(None, None, [product, values], js=f"() => {chosen}", api_visibility="private")
        with gr.Row(elem_classes="fields"):
            count = gr.Slider(1, MAX_LINES, 5, step=1, label="카피 수", buttons=[], min_width=140)
            temperature = gr.Slider(*TEMPERATURES, 0.3, step=0.1, label="다양성(온도)", buttons=[], min_width=140)
        write = gr.Button("카피 쓰기", variant="primary", elem_id="write")
        state = gr.HTML(elem_id="state", apply_default_css=False)
        result = gr.HTML(view.result(), js_on_load=view.COPY_BUTTONS, elem_id="result", apply_default_css=False)
        gr.HTML(view.footer(settings), apply_default_css=False)

        async def watch() -> AsyncIterator[str]:
            """Tell a new visitor when the model is there."""
            yield view.state(writer.model)
            while writer.loading:
                await asyncio.sleep(0.5)
            yield view.state(writer.model)

        def lines_for(*fields: Any) -> Iterator[tuple[Any, ...]]:
            """Stream the lines, or the sentence that says why there are none."""
            lines: list[str] = []
            try:
                request = clean(*fields)
                yield "", view.result("잠시만 기다려 주세요.", pending=request.count), view.button(busy=True)
                for sentence, lines in writer.write(request):
                    yield "", view.result(sentence, lines, request.count - len(lines)), view.button(busy=True)
                done = view.result(view.done(len(lines), request.count), lines, state="done")
                yield "", done, view.button(busy=False)
            except Problem as problem:
                yield "", view.result(str(problem), lines, state="problem"), view.button(busy=False)

        quiet: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
        write.click(None, None, None, js=view.SHOW_RESULT, api_visibility="private")
        page.load(watch, None, state, api_visibility="private", **quiet)
        gr.on(
            [write.click, product.submit, values.submit],
            lines_for,
            [product, values, count, temperature],
            [state, result, write],
            api_name="write",
            preprocess=False,  # Gradio would answer what is out of range, and in English; `clean` checks everything
            **quiet,
        )
    return page


if __name__ == "__main__":
    main()
