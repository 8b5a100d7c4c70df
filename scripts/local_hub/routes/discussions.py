"""Discussions and pull requests: list, open, comment, edit, hide, rename, close, merge."""

from sqlite3 import Connection
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import Target, TargetDep, Writer
from scripts.local_hub.discussions import pulls, threads
from scripts.local_hub.discussions.records import Event, Thread
from scripts.local_hub.errors import forbidden
from scripts.local_hub.repos import Repo

router = APIRouter()

_PAGE = 50
_ALL = "/api/{kind:kind}/{namespace}/{name}/discussions"
_ONE = _ALL + "/{num}"


@router.get(_ALL)
def list_discussions(
    target: TargetDep,
    type: Literal["all", "discussion", "pull_request"] = "all",
    status: Literal["all", "open", "closed"] = "all",
    author: str | None = None,
    search: str | None = None,
    p: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> JSON:
    """The newest first, 50 a page. Drafts are open, merged ones closed."""
    with target.reading() as (db, repo):
        everything = threads.of_repo(db, repo)
    listed = [
        thread
        for thread in everything
        if type in ("all", "pull_request" if thread.base else "discussion")
        and status in ("all", "closed" if thread.is_over else "open")
        and author in (None, thread.author)
        and (not search or search.lower() in thread.title.lower())
    ]
    return {
        "discussions": [_summary(repo, thread) for thread in listed[p * _PAGE : (p + 1) * _PAGE]],
        "count": len(listed),
        "start": p * _PAGE,
        "numClosedDiscussions": sum(thread.is_over for thread in everything),
    }


class NewDiscussion(BaseModel):
    title: str
    description: str
    pullRequest: bool = False


@router.post(_ALL, dependencies=[Writer])
def open_discussion(new: NewDiscussion, target: TargetDep) -> JSON:
    """A pull request begins as a draft at the head of `main`."""
    with target.writing("propose") as (db, repo):
        if new.pullRequest:
            thread = pulls.open_pull(db, repo, new.title, new.description, target.caller.name, "main")
        else:
            thread = threads.start(db, repo, new.title, new.description, target.caller.name, None)
    return {"num": thread.num, "pullRequest": new.pullRequest}


@router.get(_ONE)
def show(num: int, target: TargetDep, diff: bool = False) -> JSON:
    with target.reading() as (db, repo):
        return _details(db, target, repo, threads.find(db, repo, num), diff)


class Comment(BaseModel):
    comment: str


@router.post(_ONE + "/comment", dependencies=[Writer])
def comment(num: int, new: Comment, target: TargetDep) -> JSON:
    with target.writing("propose") as (db, repo):
        thread = threads.find(db, repo, num)
        return {"newMessage": _event(threads.comment(db, repo, thread, new.comment, target.caller.name))}


class Content(BaseModel):
    content: str


@router.post(_ONE + "/comment/{event}/edit", dependencies=[Writer])
def edit_comment(num: int, event: str, new: Content, target: TargetDep) -> JSON:
    with target.writing("propose") as (db, repo):
        thread = threads.find(db, repo, num)
        _own(target, repo, threads.find_comment(db, repo, thread, event).author)
        return {"updatedComment": _event(threads.edit(db, repo, thread, event, new.content, target.caller.name))}


@router.post(_ONE + "/comment/{event}/hide", dependencies=[Writer])
def hide_comment(num: int, event: str, target: TargetDep) -> JSON:
    with target.writing("propose") as (db, repo):
        thread = threads.find(db, repo, num)
        _own(target, repo, threads.find_comment(db, repo, thread, event).author)
        return {"updatedComment": _event(threads.hide(db, repo, thread, event, target.caller.name))}


class Title(BaseModel):
    title: str


@router.post(_ONE + "/title", dependencies=[Writer])
def rename(num: int, new: Title, target: TargetDep) -> JSON:
    with target.writing("propose") as (db, repo):
        thread = threads.find(db, repo, num)
        _own(target, repo, thread.author)
        return {"newTitle": _event(threads.rename(db, repo, thread, new.title, target.caller.name))}


class NewStatus(BaseModel):
    status: Literal["open", "closed"]
    comment: str | None = None


@router.post(_ONE + "/status", dependencies=[Writer])
def change_status(num: int, new: NewStatus, target: TargetDep) -> JSON:
    with target.writing("propose") as (db, repo):
        thread = threads.find(db, repo, num)
        _own(target, repo, thread.author)
        if new.comment:
            threads.comment(db, repo, thread, new.comment, target.caller.name)
        return {"newStatus": _event(threads.set_status(db, repo, thread, new.status, target.caller.name))}


class Merge(BaseModel):
    comment: str | None = None


@router.post(_ONE + "/merge", dependencies=[Writer])
def merge(num: int, target: TargetDep, new: Merge | None = None) -> JSON:
    with target.writing() as (db, repo):
        thread = threads.find(db, repo, num)
        return {"newStatus": _event(pulls.merge(db, repo, thread, (new and new.comment) or "", target.caller.name))}


def _own(target: Target, repo: Repo, author: str) -> None:
    """What somebody wrote is changed by them, and by those who may write to the repo."""
    if author != target.caller.name and not target.caller.may("write", repo.kind, repo.repo_id):
        raise forbidden(f"This is {author}'s")


def _summary(repo: Repo, thread: Thread) -> JSON:
    return {
        "num": thread.num,
        "title": thread.title,
        "status": thread.status,
        "author": {"name": thread.author},
        "isPullRequest": thread.base is not None,
        "createdAt": thread.created_at,
        "repo": {"name": repo.repo_id, "type": repo.kind.removesuffix("s")},
    }


def _details(db: Connection, target: Target, repo: Repo, thread: Thread, diff: bool) -> JSON:
    details = _summary(repo, thread) | {"events": [_event(event) for event in threads.events(db, repo, thread.num)]}
    if thread.base:
        merged = {"mergeCommitId": thread.merge_sha} if thread.merge_sha else {}
        details["changes"] = {"base": thread.base} | merged
        details["filesWithConflicts"] = [] if thread.is_over else pulls.conflicts(db, repo, thread)
        if diff:
            details["diff"] = pulls.diff(db, repo, thread, target.store.blobs)
    return details


def _event(event: Event) -> JSON:
    return {
        "id": event.id,
        "type": event.type,
        "author": {"name": event.author},
        "createdAt": event.created_at,
        "data": event.data,
    }
