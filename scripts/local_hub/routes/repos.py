"""Create, delete, rename and set up repos."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from sqlite3 import Connection
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from scripts.local_hub import commits, repos
from scripts.local_hub.access import accounts, gates
from scripts.local_hub.dependencies import CallerDep, StoreDep, TargetDep, Writer, origin
from scripts.local_hub.errors import ApiError, bad_request, forbidden
from scripts.local_hub.hooks import events
from scripts.local_hub.identity.callers import Caller
from scripts.local_hub.names import KIND_OF_TYPE, WEB_PREFIX, Kind, check_repo_id
from scripts.local_hub.routes.spaces import Setting, save_setting
from scripts.local_hub.uploads import files as uploads

router = APIRouter()

RepoType = Literal["model", "dataset", "space", "kernel"]
Visibility = Literal["public", "private", "protected"]


class NewRepo(BaseModel):
    name: str
    organization: str | None = None
    type: RepoType = "model"
    visibility: Visibility | None = None
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
    with _told_where(url), store.writing() as db:
        home = accounts.find(db, repo_id.split("/")[0])
        default = "private" if home and home.private_by_default else "public"
        repo = repos.create(db, kind, repo_id, visibility or default, new.sdk, new.hardware)
        commits.add(db, repo, "main", first_files, caller.name, "initial commit")
        events.note(db, repo, "repo", "create")
        _save_settings(db, repo, new.secrets, new.variables)
    return {"url": url, "name": repo_id, "id": repo_id}


class Duplicate(BaseModel):
    repository: str
    visibility: Visibility | None = None
    private: bool | None = None
    hardware: str | None = None
    sleepTimeSeconds: int | None = None
    secrets: list[Setting] = []
    variables: list[Setting] = []


@router.post("/api/{kind:kind}/{namespace}/{name}/duplicate", dependencies=[Writer])
def duplicate(new: Duplicate, target: TargetDep, request: Request) -> dict[str, object]:
    """Copy the commits, branches and tags of a repo into a new one; what people said of it stays behind."""
    namespace, _, name = new.repository.partition("/")
    repo_id = check_repo_id(namespace, name)
    _check_rights(target.caller, target.kind, repo_id)
    visibility: str | None = "private" if new.private else new.visibility
    url = f"{origin(request)}/{WEB_PREFIX[target.kind]}{repo_id}"
    with _told_where(url), target.writing("read") as (db, old):
        gates.check(db, old, target.caller)
        copy = repos.create(db, old.kind, repo_id, visibility or old.visibility, old.sdk, new.hardware)
        db.execute("UPDATE repos SET sleep_time = ? WHERE id = ?", (new.sleepTimeSeconds, copy.id))
        commits.copy_history(db, old, copy)
        _save_settings(db, copy, new.secrets, new.variables)
        events.note(db, copy, "repo", "create")
    return {"url": url, "filesCopyPending": False}


@contextmanager
def _told_where(url: str) -> Iterator[None]:
    """Whoever wants a name that is taken is told where that repo is."""
    try:
        yield
    except ApiError as error:
        if error.status == 409:
            error.fields["url"] = url
        raise


def _save_settings(db: Connection, repo: repos.Repo, secrets: list[Setting], variables: list[Setting]) -> None:
    for family, settings in (("secrets", secrets), ("variables", variables)):
        for setting in settings:
            save_setting(db, repo, family, setting)


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
    visibility: Visibility | None = None
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
