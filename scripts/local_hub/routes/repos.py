"""Create, delete, rename and set up repos; branches and tags."""

from dataclasses import replace
from sqlite3 import Connection
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from scripts.local_hub import commits, repos, uploads
from scripts.local_hub.access import accounts, gates
from scripts.local_hub.access.callers import Caller
from scripts.local_hub.dependencies import CallerDep, StoreDep, TargetDep, Unquoted, Writer, origin
from scripts.local_hub.errors import ApiError, bad_request, conflict, forbidden, revision_not_found
from scripts.local_hub.hooks import events
from scripts.local_hub.names import KIND_OF_TYPE, WEB_PREFIX, Kind, check_ref, check_repo_id
from scripts.local_hub.routes.spaces import Setting, save_setting

router = APIRouter()

RepoType = Literal["model", "dataset", "space"]


class NewRepo(BaseModel):
    name: str
    organization: str | None = None
    type: RepoType = "model"
    visibility: Literal["public", "private", "protected"] | None = None
    private: bool | None = None
    sdk: Literal["gradio", "docker", "static", "streamlit"] | None = None
    hardware: str | None = None
    secrets: list[Setting] = []
    variables: list[Setting] = []


@router.post("/api/repos/create", dependencies=[Writer])
def create(new: NewRepo, store: StoreDep, caller: CallerDep, request: Request) -> dict[str, str]:
    """A new repo has one commit with `.gitattributes`; a Space also has a README that names its SDK."""
    kind = KIND_OF_TYPE[new.type]
    repo_id = check_repo_id(new.organization or caller.name, new.name)
    _check_rights(caller, kind, repo_id)
    if (new.type == "space") != (new.sdk is not None):
        raise bad_request("`sdk` is for Spaces, and a Space needs one.")
    url = f"{origin(request)}/{WEB_PREFIX[kind]}{repo_id}"
    visibility = "private" if new.private else new.visibility or ("public" if new.private is False else None)
    first_files = uploads.first_files(store.blobs, repo_id, new.sdk)
    try:
        with store.writing() as db:
            home = accounts.find(db, repo_id.split("/")[0])
            default = "private" if home and home.private_by_default else "public"
            repo = repos.create(db, kind, repo_id, visibility or default, new.sdk, new.hardware)
            commits.add(db, repo, "main", first_files, caller.name, "initial commit")
            events.note(db, repo, "repo", "create")
            for family, settings in (("secrets", new.secrets), ("variables", new.variables)):
                for setting in settings:
                    save_setting(db, repo, family, setting)
    except ApiError as error:
        if error.status == 409:
            error.fields["url"] = url
        raise
    return {"url": url, "name": repo_id, "id": repo_id}


class OldRepo(BaseModel):
    name: str
    organization: str | None = None
    type: RepoType = "model"


@router.delete("/api/repos/delete", dependencies=[Writer])
def delete(old: OldRepo, store: StoreDep, caller: CallerDep) -> Response:
    with store.writing() as db:
        kind, repo_id = KIND_OF_TYPE[old.type], f"{old.organization or caller.name}/{old.name}"
        repo = repos.find(db, kind, repo_id, caller)
        _check_rights(caller, kind, repo.repo_id)
        events.note(db, repo, "repo", "delete")
        repos.delete(db, repo)
    return Response()


class Move(BaseModel):
    fromRepo: str
    toRepo: str
    type: RepoType = "model"


@router.post("/api/repos/move", dependencies=[Writer])
def move(move: Move, store: StoreDep, caller: CallerDep) -> Response:
    namespace, _, name = move.toRepo.partition("/")
    with store.writing() as db:
        repo = repos.find(db, KIND_OF_TYPE[move.type], move.fromRepo, caller)
        _check_rights(caller, repo.kind, repo.repo_id)
        _check_rights(caller, repo.kind, check_repo_id(namespace, name))
        events.note(db, repo, "repo", "move", movedTo={"name": move.toRepo, "owner": {"id": namespace}})
        repos.move(db, repo, move.toRepo)
    return Response()


def _check_rights(caller: Caller, kind: Kind, repo_id: str) -> None:
    if not caller.may("write", kind, repo_id):
        raise forbidden(f"You don't have the rights to create, move or delete {kind} as {repo_id}")


class RepoSettings(BaseModel):
    gated: Literal["auto", "manual", False] | None = None
    visibility: Literal["public", "private", "protected"] | None = None
    private: bool | None = None


@router.put("/api/{kind:kind}/{namespace}/{name}/settings", dependencies=[Writer])
def update_settings(settings: RepoSettings, target: TargetDep) -> dict[str, object]:
    with target.writing() as (db, repo):
        visibility = settings.visibility
        if visibility is None and settings.private is not None:
            visibility = "private" if settings.private else "public"
        gated = repo.gated if settings.gated is None else settings.gated or None
        db.execute(
            "UPDATE repos SET visibility = ?, gated = ? WHERE id = ?",
            (visibility or repo.visibility, gated, repo.id),
        )
        now_is = replace(repo, visibility=visibility or repo.visibility)  # what became private is told to few
        events.note(db, now_is, "repo.config", "update")
    return {"gated": gated or False, "visibility": visibility or repo.visibility}


@router.get("/api/{kind:kind}/{namespace}/{name}/auth-check")
def auth_check(target: TargetDep) -> Response:
    with target.reading() as (db, repo):
        gates.check(db, repo, target.caller)
    return Response()


@router.get("/api/{kind:kind}/{namespace}/{name}/auth-check/write", dependencies=[Writer])
def auth_check_write(target: TargetDep) -> Response:
    with target.reading("write"):
        return Response()


class NewBranch(BaseModel):
    startingPoint: str | None = None


@router.post("/api/{kind:kind}/{namespace}/{name}/branch/{branch}", dependencies=[Writer])
def create_branch(branch: Unquoted, target: TargetDep, new: NewBranch | None = None) -> Response:
    start = new.startingPoint if new else None
    with target.writing() as (db, repo):
        _new_ref(db, repo, commits.branch_ref(check_ref(branch)), start or "main")
    return Response()


@router.delete("/api/{kind:kind}/{namespace}/{name}/branch/{branch}", dependencies=[Writer])
def delete_branch(branch: Unquoted, target: TargetDep) -> Response:
    if branch == "main":
        raise forbidden("Cannot delete refs/heads/main: it is the default branch")
    with target.writing() as (db, repo):
        _drop_ref(db, repo, commits.branch_ref(branch), branch)
    return Response()


class NewTag(BaseModel):
    tag: str
    message: str | None = None


@router.post("/api/{kind:kind}/{namespace}/{name}/tag/{revision}", dependencies=[Writer])
def create_tag(revision: Unquoted, new: NewTag, target: TargetDep) -> Response:
    """The message is accepted and not kept: no route of the Hub's API reads it."""
    with target.writing() as (db, repo):
        commits.resolve(db, repo, revision)  # first: a missing revision is told before a bad name
        _new_ref(db, repo, commits.tag_ref(check_ref(new.tag)), revision)
    return Response()


@router.delete("/api/{kind:kind}/{namespace}/{name}/tag/{tag}", dependencies=[Writer])
def delete_tag(tag: Unquoted, target: TargetDep) -> Response:
    with target.writing() as (db, repo):
        _drop_ref(db, repo, commits.tag_ref(tag), tag)
    return Response()


def _new_ref(db: Connection, repo: repos.Repo, ref: str, revision: str) -> None:
    sha = commits.resolve(db, repo, revision).sha
    if db.execute("SELECT 1 FROM refs WHERE repo = ? AND ref = ?", (repo.id, ref)).fetchone():
        raise conflict(f"Reference {ref} already exists")
    commits.set_ref(db, repo, ref, sha)


def _drop_ref(db: Connection, repo: repos.Repo, ref: str, name: str) -> None:
    if not db.execute("SELECT 1 FROM refs WHERE repo = ? AND ref = ?", (repo.id, ref)).fetchone():
        raise revision_not_found(name)
    commits.set_ref(db, repo, ref, None)
