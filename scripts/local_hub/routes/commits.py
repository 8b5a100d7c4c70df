"""Write, list and squash commits."""

from html import escape
from sqlite3 import Connection
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from scripts.local_hub import commits, refs
from scripts.local_hub.dependencies import Target, TargetDep, Unquoted, Writer, next_page, origin
from scripts.local_hub.discussions import pulls, threads
from scripts.local_hub.errors import ApiError, RepoMoved, bad_request, forbidden
from scripts.local_hub.identity.callers import Right
from scripts.local_hub.repos import Repo
from scripts.local_hub.uploads import drafts
from scripts.local_hub.uploads.drafts import Draft

router = APIRouter()


@router.post("/api/{kind:kind}/{namespace}/{name}/commit/{revision}", dependencies=[Writer])
async def commit(
    revision: Unquoted, target: TargetDep, request: Request, create_pr: Annotated[bool, Query()] = False
) -> dict[str, object]:
    """Read ndjson line by line, keeping file contents on disk; then write one commit in one transaction."""
    right = refs.right_to(revision, create_pr)
    try:
        await to_thread.run_sync(_check, target, revision, right)
    except (ApiError, RepoMoved):
        async for _ in request.stream():  # a client that is cut off while it sends never reads the answer
            pass
        raise
    draft = Draft()
    async for line in drafts.lines(request.stream()):
        await to_thread.run_sync(drafts.read, target, line, draft)
    if not draft.title.strip():
        raise bad_request("The commit needs a header with a summary.")
    sha, num, web_path = await to_thread.run_sync(_write, target, revision, draft, create_pr)
    page = f"{origin(request)}{web_path}"
    pull = {"pullRequestUrl": f"{page}/discussions/{num}"} if num else {}
    return {"success": True, "commitOid": sha, "commitUrl": f"{page}/commit/{sha}"} | pull


@router.get("/api/{kind:kind}/{namespace}/{name}/commits/{revision}")
def list_commits(
    revision: Unquoted,
    target: TargetDep,
    request: Request,
    expand: Annotated[list[str], Query(alias="expand[]")] = [],  # noqa: B006 - FastAPI copies the default
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> Response:
    with target.reading() as (db, repo):
        head = commits.resolve(db, repo, revision)
        page = commits.history(db, repo, head.sha, cursor, limit + 1)
    body = [
        {
            "id": item.sha,
            "title": item.title,
            "message": item.message,
            "date": item.date,
            "authors": [{"user": item.author}],
        }
        | (_formatted(item) if "formatted" in expand else {})
        for item in page[:limit]
    ]
    return JSONResponse(body, headers=next_page(request, cursor + len(page), cursor, limit))


def _formatted(commit: commits.Commit) -> dict[str, object]:
    """As HTML: escaped, for nothing here makes links of it."""
    return {"formatted": {"title": escape(commit.title), "message": escape(commit.message)}}


class Squash(BaseModel):
    message: str | None = None


@router.post("/api/{kind:kind}/{namespace}/{name}/super-squash/{branch}", dependencies=[Writer])
def super_squash(branch: Unquoted, squash: Squash, target: TargetDep) -> Response:
    """Replace the branch's history by one commit with the same files."""
    with target.writing() as (db, repo):
        head = commits.resolve(db, repo, refs.branch_ref(branch))
        title = squash.message or f"Super-squash branch '{branch}'"
        commits.add(db, repo, branch, commits.files_of(db, head.tree), target.caller.name, title)
    return Response()


def _check(target: Target, revision: str, right: Right) -> None:
    with target.reading(right) as (db, repo):
        _check_pull(db, repo, target, revision)


def _check_pull(db: Connection, repo: Repo, target: Target, revision: str) -> None:
    """A pull request is committed to by whoever opened it, and by those who may write to the repo."""
    thread = threads.of_ref(db, repo, revision)
    if thread and thread.author != target.caller.name and not target.caller.may("write", repo.kind, repo.repo_id):
        raise forbidden(f"The pull request {thread.num} is {thread.author}'s")


def _write(target: Target, revision: str, draft: Draft, create_pr: bool) -> tuple[str, int | None, str]:
    """(sha, number of the new pull request if one is wanted, the repo's page)."""
    num, author = None, target.caller.name
    with target.writing(refs.right_to(revision, create_pr)) as (db, repo):
        _check_pull(db, repo, target, revision)
        ref, parent = revision, draft.parent
        if create_pr:
            description = draft.message or "Opened with a commit."
            thread = pulls.open_pull(db, repo, draft.title, description, author, revision, draft.parent)
            threads.set_status(db, repo, thread, "open", author)
            ref, parent, num = thread.ref, None, thread.num
        new = commits.write(db, repo, ref, draft.operations, author, draft.title, draft.message, parent)
        pulls.note_commit(db, repo, ref, new)
    return new.sha, num, repo.web_path
