"""Make and delete branches and tags."""

from sqlite3 import Connection

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel

from scripts.local_hub import commits, refs, repos
from scripts.local_hub.dependencies import TargetDep, Unquoted, Writer
from scripts.local_hub.errors import conflict, forbidden, revision_not_found
from scripts.local_hub.names import check_ref

router = APIRouter()


class NewBranch(BaseModel):
    startingPoint: str | None = None


@router.post("/api/{kind:kind}/{namespace}/{name}/branch/{branch}", dependencies=[Writer])
def create_branch(branch: Unquoted, target: TargetDep, new: NewBranch | None = None) -> Response:
    start = new.startingPoint if new else None
    with target.writing() as (db, repo):
        _new_ref(db, repo, refs.branch_ref(check_ref(branch)), start or "main")
    return Response()


@router.delete("/api/{kind:kind}/{namespace}/{name}/branch/{branch}", dependencies=[Writer])
def delete_branch(branch: Unquoted, target: TargetDep) -> Response:
    if branch == "main":
        raise forbidden("Cannot delete refs/heads/main: it is the default branch")
    with target.writing() as (db, repo):
        _drop_ref(db, repo, refs.branch_ref(branch), branch)
    return Response()


class NewTag(BaseModel):
    tag: str
    message: str | None = None


@router.post("/api/{kind:kind}/{namespace}/{name}/tag/{revision}", dependencies=[Writer])
def create_tag(revision: Unquoted, new: NewTag, target: TargetDep) -> Response:
    """The message is accepted and not kept: no route of the Hub's API reads it."""
    with target.writing() as (db, repo):
        commits.resolve(db, repo, revision)  # first: a missing revision is told before a bad name
        _new_ref(db, repo, refs.tag_ref(check_ref(new.tag)), revision)
    return Response()


@router.delete("/api/{kind:kind}/{namespace}/{name}/tag/{tag}", dependencies=[Writer])
def delete_tag(tag: Unquoted, target: TargetDep) -> Response:
    with target.writing() as (db, repo):
        _drop_ref(db, repo, refs.tag_ref(tag), tag)
    return Response()


def _new_ref(db: Connection, repo: repos.Repo, ref: str, revision: str) -> None:
    sha = commits.resolve(db, repo, revision).sha
    if db.execute("SELECT 1 FROM refs WHERE repo = ? AND ref = ?", (repo.id, ref)).fetchone():
        raise conflict(f"Reference {ref} already exists")
    refs.set_ref(db, repo, ref, sha)


def _drop_ref(db: Connection, repo: repos.Repo, ref: str, name: str) -> None:
    if not db.execute("SELECT 1 FROM refs WHERE repo = ? AND ref = ?", (repo.id, ref)).fetchone():
        raise revision_not_found(name)
    refs.set_ref(db, repo, ref, None)
