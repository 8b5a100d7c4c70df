"""Show what a repo is: its info, trees, paths and refs."""

from sqlite3 import Connection
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from scripts.local_hub import commits, repos
from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import TargetDep, Unquoted, next_page
from scripts.local_hub.errors import bad_request, entry_not_found
from scripts.local_hub.listing import query
from scripts.local_hub.views import info, last_commits, tree_entries, used_storage

router = APIRouter()

Cursor = Annotated[int, Query(ge=0, lt=2**31)]
Expand = Annotated[list[str], Query()]
_REPO = "/api/{kind:kind}/{namespace}/{name}"


@router.get(_REPO)
@router.get(_REPO + "/revision/{revision}")
def repo_info(
    target: TargetDep,
    revision: Unquoted = "main",
    blobs: bool = False,
    expand: Expand = [],  # noqa: B006
) -> JSON:
    """With `expand`, only these fields and the id."""
    fields = query.fields_of(target.kind, expand)
    with target.reading() as (db, repo):
        view = info(db, target.store, repo, revision, files="blobs" if blobs else "names")
        view["usedStorage"] = used_storage(db, repo)
    if fields:
        return {key: value for key, value in view.items() if key in {"_id", "id", *fields}}
    return view


@router.get(_REPO + "/tree/{revision}")
@router.get(_REPO + "/tree/{revision}/{path:path}")
def list_tree(
    target: TargetDep,
    request: Request,
    revision: Unquoted,
    path: Unquoted = "",
    recursive: bool = False,
    expand: bool = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    cursor: Cursor = 0,
) -> JSONResponse:
    folder = path.strip("/")
    with target.reading() as (db, repo):
        head = commits.resolve(db, repo, revision)
        entries = tree_entries(commits.files_of(db, head.tree))
        if folder and entries.get(folder, {}).get("type") != "directory":
            raise entry_not_found(folder, head.sha)
        inside = f"{folder}/" if folder else ""
        listed = [
            entry
            for path, entry in entries.items()
            if path.startswith(inside) and (recursive or "/" not in path[len(inside) :])
        ]
        page = listed[cursor : cursor + limit]
        if expand:
            _expand(db, repo, head, page)
    return JSONResponse(page, headers=next_page(request, len(listed), cursor, limit))


@router.post(_REPO + "/paths-info/{revision}")
async def paths_info(revision: Unquoted, target: TargetDep, request: Request) -> list[JSON]:
    """The body is a form (`paths=a&paths=b&expand=true`); paths that do not exist are left out."""
    try:
        form = parse_qs((await request.body()).decode(), keep_blank_values=True)
    except ValueError as error:
        raise bad_request("The body must be a form.") from error
    with target.reading() as (db, repo):
        head = commits.resolve(db, repo, revision)
        entries = tree_entries(commits.files_of(db, head.tree))
        paths = dict.fromkeys(path.strip("/") for path in form.get("paths", []))
        existing = [entries[path] for path in paths if path in entries]
        if form.get("expand", [""])[0].lower() in ("true", "1"):
            _expand(db, repo, head, existing)
    return existing


@router.get(_REPO + "/refs")
def list_refs(target: TargetDep, include_prs: bool = False) -> JSON:
    with target.reading() as (db, repo):
        rows = db.execute("SELECT ref, sha FROM refs WHERE repo = ? ORDER BY ref", (repo.id,)).fetchall()
    refs: dict[str, list[dict[str, str]]] = {"heads": [], "tags": [], "convert": [], "pr": []}
    for row in rows:
        family, name = row["ref"].removeprefix("refs/").split("/", 1)
        refs[family].append({"name": name, "ref": row["ref"], "targetCommit": row["sha"]})
    shown: JSON = {"branches": refs["heads"], "tags": refs["tags"], "converts": refs["convert"]}
    return shown | {"pullRequests": refs["pr"]} if include_prs else shown


def _expand(db: Connection, repo: repos.Repo, head: commits.Commit, entries: list[JSON]) -> None:
    last = last_commits(db, repo, head, {str(entry["path"]) for entry in entries})
    for entry in entries:
        commit = last[str(entry["path"])]
        entry["lastCommit"] = {"id": commit.sha, "title": commit.title, "date": commit.date}
