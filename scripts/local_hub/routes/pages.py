"""Show web pages to people who open the printed addresses: repos, files, a README as text. Escaped, no scripts."""

from html import escape
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from scripts.local_hub import commits, repos
from scripts.local_hub.blobs import path_of
from scripts.local_hub.dependencies import CallerDep, StoreDep, TargetDep, Unquoted
from scripts.local_hub.discussions import pulls, threads
from scripts.local_hub.discussions.records import Event
from scripts.local_hub.names import KINDS

router = APIRouter()

_STYLE = "body{font:16px system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap}"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@router.get("/")
def home(store: StoreDep, caller: CallerDep) -> HTMLResponse:
    parts = ["<h1>Local Hub</h1>"]
    with store.reading() as db:
        for kind in KINDS:
            visible = repos.list_visible(db, kind, caller)
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
        f"<li>{_link(f'{repo.web_path}/commit/{item.sha}', item.sha[:8])} {item.date} "
        f"{escape(f'{item.author}: {item.title}')}</li>"
        for item in history
    )
    parts.append(f"<h2>Commits</h2><ul>{''.join(entries)}</ul>")
    return _page(repo.repo_id, parts)


@router.get("/{kind:kind}/{namespace}/{name}/discussions")
def discussions_page(target: TargetDep) -> HTMLResponse:
    with target.reading() as (db, repo):
        everything = threads.of_repo(db, repo)
    entries = (
        f"<li>{_link(f'{repo.web_path}/discussions/{thread.num}', f'#{thread.num} {thread.title}')} "
        f"({thread.status}{', pull request' if thread.base else ''})</li>"
        for thread in everything
    )
    heading = f"<p>{_link(repo.web_path, repo.repo_id)}</p><h1>Discussions</h1>"
    return _page(f"Discussions of {repo.repo_id}", [heading, f"<ul>{''.join(entries) or '<li>none yet</li>'}</ul>"])


@router.get("/{kind:kind}/{namespace}/{name}/discussions/{num}")
def discussion_page(num: int, target: TargetDep) -> HTMLResponse:
    """What was said; of a pull request also what it changes."""
    with target.reading() as (db, repo):
        thread = threads.find(db, repo, num)
        said = threads.events(db, repo, num)
        changes = pulls.diff(db, repo, thread, target.store.blobs) if thread.base else ""
    parts = [f"<p>{_link(f'{repo.web_path}/discussions', repo.repo_id)}</p>"]
    parts.append(f"<h1>{escape(thread.title)} #{num}</h1><p>{thread.status}</p>")
    for event in said:
        text = event.data["latest"]["raw"] if event.type == "comment" else _happened(event)
        parts.append(f"<h2>{escape(event.author)}, {event.created_at}</h2><pre>{escape(text)}</pre>")
    if thread.base:
        parts.append(f"<h2>Changes</h2><pre>{escape(changes)}</pre>")
    return _page(thread.title, parts)


def _happened(event: Event) -> str:
    """What an event that is no comment did, as a line."""
    match event.type:
        case "title-change":
            return f"renamed it from {event.data['from']} to {event.data['to']}"
        case "commit":
            return f"committed {event.data['oid'][:8]}: {event.data['subject']}"
        case _:
            return f"made it {event.data['status']}"


def _link(address: str, text: str) -> str:
    return f'<a href="{escape(quote(address))}">{escape(text)}</a>'


def _page(title: str, parts: list[str]) -> HTMLResponse:
    head = f"<meta charset=utf-8><title>{escape(title)}</title><style>{_STYLE}</style>"
    text = f"<!doctype html><html lang=en>{head}{''.join(parts)}</html>"
    return HTMLResponse(text, headers={"Content-Security-Policy": _POLICY})
