"""What is not Gradio's: the page and its files, whether the model is there, stopping, feedback."""

from __future__ import annotations

import html
import mimetypes
from pathlib import Path
from typing import TYPE_CHECKING, Any

import messages
import request as requests
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from huggingface_hub.constants import ENDPOINT
from request import Problem
from settings import Settings
from writer import Writer

from web.calls import Refusal

if TYPE_CHECKING:
    from feedback import Feedback

#: Nothing but the page's own files is loaded, and nothing leaves for elsewhere. Who may frame it is the Hub's to say.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def add_page(app: FastAPI, folder: Path, title: str) -> None:
    """Serve `index.html` of a folder at `/`, and the files beside it under `/page/`.

    In the page, `{{lang}}`, `{{title}}` and `{{description}}` are filled in; whoever reads no scripts sees them too.
    """
    template = (folder / "index.html").read_text(encoding="utf-8")
    files = {path.name: path for path in folder.iterdir() if path.name != "index.html"}

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    def page(asked: Request, lang: str = "") -> HTMLResponse:
        language = language_of(lang, asked.headers.get("accept-language", ""))
        description = messages.text("description", language)
        filled = template
        for name, text in {"lang": language, "description": description, "title": title}.items():
            filled = filled.replace(f"{{{{{name}}}}}", html.escape(text))
        return HTMLResponse(filled, headers={**HEADERS, "Content-Language": language, "Vary": "Accept-Language"})

    @app.api_route("/page/{name}", methods=["GET", "HEAD"], include_in_schema=False)
    def file(name: str) -> Response:
        if name not in files:
            raise Refusal(404, "no_page")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        return Response(files[name].read_bytes(), media_type=kind, headers=HEADERS)


def add_status(app: FastAPI, settings: Settings, writer: Writer, feedback: Feedback) -> None:
    """Serve `/status`, which the page asks until the model is there."""
    options, footer = requests.options(settings.prompt_format), _footer(settings)
    warning = messages.both("rated_under_base", **settings.rating) if settings.rated_under_base else None  # type: ignore[arg-type]

    @app.get("/status", include_in_schema=False)
    def status() -> dict[str, Any]:
        state, problem = writer.loader.state, writer.loader.problem
        said = {lang: problem.say(lang) for lang in messages.LANGUAGES} if problem else messages.both(state)
        return {
            "state": state,
            "message": said,
            "engine": writer.engine.name,
            "can_compare": writer.engine.can_compare,
            "feedback": not feedback.off,
            "fields": options,
            "limits": requests.LIMITS,
            "footer": footer,
            "warning": warning,
            "examples": settings.examples,
        }


def add_actions(app: FastAPI, writer: Writer, feedback: Feedback) -> None:
    """Take `/stop` and `/feedback`."""

    @app.post("/stop", status_code=204, include_in_schema=False)
    async def stop(asked: Request) -> Response:
        sent = await asked.json()
        writer.stop(requests.clean_name(sent.get("job")))
        return Response(status_code=204)

    @app.post("/feedback", status_code=204, include_in_schema=False)
    async def keep(asked: Request) -> Response:
        sent = await asked.json()
        needed = [sent.get(name) for name in ("kind", "product", "values", "line")]
        try:
            feedback.keep(*needed, **{name: sent[name] for name in ("edited", "others", "lang") if name in sent})
        except Problem as problem:
            return _refusal(problem, "en" if sent.get("lang") == "en" else "ko")
        return Response(status_code=204)

    @app.exception_handler(Problem)
    async def problem(asked: Request, error: Problem) -> Response:
        return _refusal(error, "ko")


def language_of(chosen: str, accepted: str) -> messages.Language:
    """The language of the page: the one chosen, else the first of the browser's that it speaks.

    Of browsers that read neither, English is the likelier; who names no language at all may be a preview of links.
    """
    wanted = [chosen, *(part.partition(";")[0] for part in accepted.split(","))]
    for name in wanted:
        short = name.strip().lower()[:2]
        for known in messages.LANGUAGES:
            if short == known:
                return known
    return "ko" if accepted.strip() in ("", "*") else "en"


def _refusal(problem: Problem, lang: messages.Language) -> JSONResponse:
    return JSONResponse({"message": problem.say(lang)}, 422)


def _footer(settings: Settings) -> dict[str, Any]:
    """What wrote the lines: names, and links where the Hub has pages to show (the local one has none)."""
    return {
        "adapter": _named(settings.adapter, settings.revision),
        "base_model": _named(settings.base_model),
        "dataset": _named(settings.dataset, prefix="datasets/") if settings.dataset else None,
    }


def _named(repo: str, revision: str | None = None, prefix: str = "") -> dict[str, str]:
    local = Path(repo).is_absolute()
    name = (Path(repo).name if local else repo) + (f"@{revision[:7]}" if revision else "")
    if local or not ENDPOINT.startswith("https://"):
        return {"name": name, "url": ""}
    return {"name": name, "url": f"{ENDPOINT}/{prefix}{repo}" + (f"/tree/{revision}" if revision else "")}
