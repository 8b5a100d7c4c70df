"""List repos: of a kind, and all of one's own."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from scripts.local_hub import repos
from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import CallerDep, StoreDep, Unquoted, Writer, next_page
from scripts.local_hub.listing import query
from scripts.local_hub.names import KINDS, Kind
from scripts.local_hub.views import info, used_storage

router = APIRouter()

Cursor = Annotated[int, Query(ge=0, lt=2**31)]


@router.get("/api/{kind:kind}")
def list_repos(
    kind: Kind,
    store: StoreDep,
    caller: CallerDep,
    request: Request,
    author: str | None = None,
    search: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies the default
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    cursor: Cursor = 0,
) -> JSONResponse:
    """The newest first, unless sorted otherwise. What else is asked for is read by `listing.query`."""
    asked = query.read(kind, request.query_params)
    files = "names" if asked.full or "siblings" in asked.fields else None
    with store.reading() as db:
        visible = repos.list_visible(db, kind, caller, author=author, search=" ".join(search))
        kept = asked.pick(info(db, store, repo, "main", files=None) for repo in visible)
        page = kept[cursor : cursor + limit]
        by_id = {repo.repo_id: repo for repo in visible}
        for view in page:
            repo = by_id[str(view["id"])]
            if files:
                view |= info(db, store, repo, "main", files="names")
            if "usedStorage" in asked.fields:
                view["usedStorage"] = used_storage(db, repo)
    return JSONResponse([asked.shown(view) for view in page], headers=next_page(request, len(kept), cursor, limit))


@router.get("/api/settings/repositories", dependencies=[Writer])
def own_repos(store: StoreDep, caller: CallerDep) -> list[JSON]:
    return _storage(store, caller, caller.name)


@router.get("/api/organizations/{name}/settings/repositories", dependencies=[Writer])
def repos_of(name: Unquoted, store: StoreDep, caller: CallerDep) -> list[JSON]:
    return _storage(store, caller, name)


def _storage(store: StoreDep, caller: CallerDep, namespace: str) -> list[JSON]:
    """What `RepoStorageInfo` reads of all repos of a namespace that the caller may see, the largest first."""
    entries: list[tuple[int, JSON]] = []
    with store.reading() as db:
        for kind in KINDS:
            for repo in repos.list_visible(db, kind, caller, author=namespace):
                head = info(db, store, repo, "main", files=None)
                entry = {"id": repo.repo_id, "type": kind.removesuffix("s"), "updatedAt": head["lastModified"]}
                entries.append((used_storage(db, repo), entry | {"visibility": repo.visibility}))
    total = sum(size for size, _ in entries) or 1
    entries.sort(key=lambda entry: entry[0], reverse=True)
    return [entry | {"storage": size, "storagePercent": size / total} for size, entry in entries]
