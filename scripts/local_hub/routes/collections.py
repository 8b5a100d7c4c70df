"""Keep collections: named lists of repos."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from scripts.local_hub.cards import JSON
from scripts.local_hub.collecting import keeping
from scripts.local_hub.dependencies import CallerDep, StoreDep, Unquoted, Writer, next_page
from scripts.local_hub.errors import conflict
from scripts.local_hub.names import check_repo_id
from scripts.local_hub.store import now

router = APIRouter()

_COLLECTION = "/api/collections/{namespace}/{slug}"


class NewCollection(BaseModel):
    title: str
    namespace: str
    description: str | None = None
    private: bool = False


@router.post("/api/collections", dependencies=[Writer])
def create(new: NewCollection, store: StoreDep, caller: CallerDep) -> JSON:
    """409 with the `slug` when the namespace has a collection of this title."""
    check_repo_id(new.namespace, "collection")
    keeping.check_home(caller, new.namespace)
    with store.writing() as db:
        taken = db.execute(
            "SELECT * FROM collections WHERE namespace = ? AND title = ?", (new.namespace, new.title)
        ).fetchone()
        if taken:
            raise conflict("This collection exists already", slug=keeping.slug_of(taken))
        key = secrets.token_hex(12)
        db.execute(
            "INSERT INTO collections VALUES (?, ?, ?, ?, ?, 'blue', 0, ?)",
            (key, new.namespace, new.title, new.description, new.private, now()),
        )
        return keeping.view(db, keeping.row_of(db, key), caller)


@router.get("/api/collections")
def list_collections(
    store: StoreDep,
    caller: CallerDep,
    request: Request,
    owner: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies the default
    item: Annotated[list[str], Query()] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    cursor: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> JSONResponse:
    """`item` is `models/ns/name`, `datasets/…` or `spaces/…`."""
    with store.reading() as db:
        rows = db.execute("SELECT * FROM collections ORDER BY updated_at DESC").fetchall()
        views = [
            keeping.view(db, row, caller)
            for row in rows
            if not row["private"] or caller.is_at_home(row["namespace"], "read")
        ]
    kept = [
        {key: value for key, value in view.items() if key != "position"}  # the client numbers them itself
        for view in views
        if (not owner or view["slug"].split("/")[0] in owner)  # type: ignore[attr-defined]
        and (not item or any(f"{entry['type']}s/{entry['id']}" in item for entry in view["items"]))  # type: ignore[attr-defined]
    ]
    return JSONResponse(kept[cursor : cursor + limit], headers=next_page(request, len(kept), cursor, limit))


@router.get(_COLLECTION)
def get(namespace: Unquoted, slug: Unquoted, store: StoreDep, caller: CallerDep) -> JSON:
    with store.reading() as db:
        return keeping.view(db, keeping.find(db, namespace, slug, caller), caller)


class CollectionPatch(BaseModel):
    title: str | None = None
    description: str | None = None
    position: int | None = None
    private: bool | None = None
    theme: str | None = None


@router.patch(_COLLECTION, dependencies=[Writer])
def update(
    namespace: Unquoted, slug: Unquoted, patch: CollectionPatch, store: StoreDep, caller: CallerDep
) -> dict[str, JSON]:
    with store.writing() as db:
        row = keeping.find(db, namespace, slug, caller, "write")
        keeping.change(db, "collections", row["id"], patch.model_dump(exclude_none=True) | {"updated_at": now()})
        return {"data": keeping.view(db, keeping.row_of(db, row["id"]), caller)}


@router.delete(_COLLECTION, dependencies=[Writer])
def delete(namespace: Unquoted, slug: Unquoted, store: StoreDep, caller: CallerDep) -> Response:
    with store.writing() as db:
        db.execute("DELETE FROM collections WHERE id = ?", (keeping.find(db, namespace, slug, caller, "write")["id"],))
    return Response()


class NewItem(BaseModel):
    item: keeping.Item
    note: str | None = None


@router.post(_COLLECTION + "/items", dependencies=[Writer])
@router.post(_COLLECTION + "/item", dependencies=[Writer])
def add_item(namespace: Unquoted, slug: Unquoted, new: NewItem, store: StoreDep, caller: CallerDep) -> JSON:
    with store.writing() as db:
        row = keeping.find(db, namespace, slug, caller, "write")
        name = keeping.item_name(db, new.item, caller)
        items = db.execute("SELECT * FROM collection_items WHERE collection = ?", (row["id"],)).fetchall()
        if any((item["item_id"], item["item_type"]) == (name, new.item.type) for item in items):
            raise conflict(f"{name} is in the collection already")
        db.execute(
            "INSERT INTO collection_items VALUES (?, ?, ?, ?, ?, ?)",
            (secrets.token_hex(12), row["id"], name, new.item.type, new.note, len(items)),
        )
        keeping.change(db, "collections", row["id"], {"updated_at": now()})
        return keeping.view(db, keeping.row_of(db, row["id"]), caller)


class ItemPatch(BaseModel):
    position: int | None = None
    note: str | None = None


@router.patch(_COLLECTION + "/items/{item}", dependencies=[Writer])
def update_item(
    namespace: Unquoted, slug: Unquoted, item: str, patch: ItemPatch, store: StoreDep, caller: CallerDep
) -> Response:
    with store.writing() as db:
        collection = keeping.find_item(db, namespace, slug, item, caller)
        keeping.change(db, "collection_items", item, patch.model_dump(exclude_none=True, exclude={"position"}))
        if patch.position is not None:
            keeping.place(db, collection, item, patch.position)
    return Response()


@router.delete(_COLLECTION + "/items/{item}", dependencies=[Writer])
def delete_item(namespace: Unquoted, slug: Unquoted, item: str, store: StoreDep, caller: CallerDep) -> Response:
    with store.writing() as db:
        keeping.find_item(db, namespace, slug, item, caller)
        db.execute("DELETE FROM collection_items WHERE id = ?", (item,))
    return Response()
