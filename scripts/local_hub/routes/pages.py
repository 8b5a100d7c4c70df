"""Show web pages to people who open the printed addresses: repos, files, a README as text. Escaped, no scripts."""

from html import escape
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from scripts.local_hub import commits, repos
from scripts.local_hub.blobs import path_of
from scripts.local_hub.dependencies import Authorized, StoreDep, TargetDep, Unquoted
from scripts.local_hub.names import KINDS

router = APIRouter()

_STYLE = "body{font:16px system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap}"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/")
def home(store: StoreDep, authorized: Authorized) -> HTMLResponse:
    parts = ["<h1>Local Hub</h1>"]
    with store.reading() as db:
        for kind in KINDS:
            visible = repos.list_visible(db, kind, authorized=authorized)
            links = "".join(f"<li>{_link(repo.web_path, repo.repo_id)}</li>" for repo in visible)
            parts.append(f"<h2>{kind.capitalize()}</h2><ul>{links or '<li>none yet</li>'}</ul>")
    return _page("Local Hub", parts)


@router.get("/{kind:kind}/{namespace}/{name}")
@router.get("/{kind:kind}/{namespace}/{name}/tree/{revision}")
@router.get("/{kind:kind}/{namespace}/{name}/commit/{revision}")
def repo_page(target: TargetDep, revision: Unquoted = "main") -> HTMLResponse:
    with target.reading() as (db, repo):
        head = commits.resolve(db, repo, revision)
        files = commits.files_of(db, head.tree)
        history = commits.history(db, repo, head.sha, limit=20)
    parts = [f"<p>{_link('/', 'Local Hub')}</p><h1>{escape(repo.repo_id)}</h1>"]
    parts.append(f"<p>{repo.kind}, commit {head.sha}</p>")
    if readme := files.get("README.md"):
        text = path_of(target.store.blobs, readme.sha256).read_text("utf-8", "replace")
        parts.append(f"<h2>README.md</h2><pre>{escape(text)}</pre>")
    base = f"{repo.web_path}/resolve/{head.sha}"
    rows = (f"<li>{_link(f'{base}/{file.path}', file.path)} ({file.size:,} bytes)</li>" for file in files.values())
    parts.append(f"<h2>Files</h2><ul>{''.join(rows)}</ul>")
    entries = (
        f"<li>{_link(f'{repo.web_path}/commit/{item.sha}', item.sha[:8])} {item.date} {escape(item.title)}</li>"
        for item in history
    )
    parts.append(f"<h2>Commits</h2><ul>{''.join(entries)}</ul>")
    return _page(repo.repo_id, parts)


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(quote(address))}">{escape(text)}</a>'


def _page(title: str, parts: list[str]) -> HTMLResponse:
    head = f"<meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    text = f"<!doctype html><html lang=en>{head}{''.join(parts)}</html>"
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})
