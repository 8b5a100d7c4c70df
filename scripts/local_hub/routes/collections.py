"""Keep collections: named lists of repos."""

import re
import secrets
from sqlite3 import Connection, Row
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from scripts.local_hub.access.callers import Caller, Right
from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import CallerDep, StoreDep, Unquoted, Writer, next_page
from scripts.local_hub.errors import ApiError, conflict, forbidden
from scripts.local_hub.names import KIND_OF_TYPE, check_repo_id
from scripts.local_hub.repos import find
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
    _check_home(caller, new.namespace)
    with store.writing() as db:
        taken = db.execute(
            "SELECT * FROM collections WHERE namespace = ? AND title = ?", (new.namespace, new.title)
        ).fetchone()
        if taken:
            raise conflict("This collection exists already", slug=_slug(taken))
        key = secrets.token_hex(12)
        db.execute(
            "INSERT INTO collections VALUES (?, ?, ?, ?, ?, 'blue', 0, ?)",
            (key, new.namespace, new.title, new.description, new.private, now()),
        )
        return _view(db, _row(db, key))


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
        views = [_view(db, row) for row in rows if not row["private"] or caller.is_at_home(row["namespace"], "read")]
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
        return _view(db, _find(db, namespace, slug, caller))


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
        row = _find(db, namespace, slug, caller, "write")
        _set(db, "collections", row["id"], patch.model_dump(exclude_none=True) | {"updated_at": now()})
        return {"data": _view(db, _row(db, row["id"]))}


@router.delete(_COLLECTION, dependencies=[Writer])
def delete(namespace: Unquoted, slug: Unquoted, store: StoreDep, caller: CallerDep) -> Response:
    with store.writing() as db:
        db.execute("DELETE FROM collections WHERE id = ?", (_find(db, namespace, slug, caller, "write")["id"],))
    return Response()


class Item(BaseModel):
    id: str
    type: Literal["model", "dataset", "space", "collection", "paper"]


class NewItem(BaseModel):
    item: Item
    note: str | None = None


@router.post(_COLLECTION + "/items", dependencies=[Writer])
@router.post(_COLLECTION + "/item", dependencies=[Writer])
def add_item(namespace: Unquoted, slug: Unquoted, new: NewItem, store: StoreDep, caller: CallerDep) -> JSON:
    with store.writing() as db:
        row = _find(db, namespace, slug, caller, "write")
        name = _item_name(db, new.item, caller)
        items = db.execute("SELECT * FROM collection_items WHERE collection = ?", (row["id"],)).fetchall()
        if any((item["item_id"], item["item_type"]) == (name, new.item.type) for item in items):
            raise conflict(f"{name} is in the collection already")
        db.execute(
            "INSERT INTO collection_items VALUES (?, ?, ?, ?, ?, ?)",
            (secrets.token_hex(12), row["id"], name, new.item.type, new.note, len(items)),
        )
        _set(db, "collections", row["id"], {"updated_at": now()})
        return _view(db, _row(db, row["id"]))


def _item_name(db: Connection, item: Item, caller: Caller) -> str:
    """What it is called where it is kept. Papers are elsewhere: of them only the form of the id is checked."""
    if item.type == "paper":
        if not re.fullmatch(r"\d{4}\.\d{4,5}", item.id):
            raise ApiError(404, "NotFound", f"{item.id} is no paper's id")
        return item.id
    if item.type == "collection":
        namespace, _, slug = item.id.partition("/")
        return _slug(_find(db, namespace, slug, caller))
    return find(db, KIND_OF_TYPE[item.type], item.id, caller).repo_id


class ItemPatch(BaseModel):
    position: int | None = None
    note: str | None = None


@router.patch(_COLLECTION + "/items/{item}", dependencies=[Writer])
def update_item(
    namespace: Unquoted, slug: Unquoted, item: str, patch: ItemPatch, store: StoreDep, caller: CallerDep
) -> Response:
    with store.writing() as db:
        collection = _find_item(db, namespace, slug, item, caller)
        _set(db, "collection_items", item, patch.model_dump(exclude_none=True, exclude={"position"}))
        if patch.position is not None:
            _place(db, collection, item, patch.position)
    return Response()


@router.delete(_COLLECTION + "/items/{item}", dependencies=[Writer])
def delete_item(namespace: Unquoted, slug: Unquoted, item: str, store: StoreDep, caller: CallerDep) -> Response:
    with store.writing() as db:
        _find_item(db, namespace, slug, item, caller)
        db.execute("DELETE FROM collection_items WHERE id = ?", (item,))
    return Response()


def _set(db: Connection, table: str, key: str, values: dict[str, object]) -> None:
    for column, value in values.items():  # column names are those of the models above
        db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, key))  # noqa: S608


def _row(db: Connection, key: str) -> Row:
    row: Row = db.execute("SELECT * FROM collections WHERE id = ?", (key,)).fetchone()
    return row


def _check_home(caller: Caller, namespace: str) -> None:
    if not caller.is_at_home(namespace):
        raise forbidden(f"You don't have the rights to keep collections under {namespace}")


def _find(db: Connection, namespace: str, slug: str, caller: Caller, right: Right = "read") -> Row:
    """The title in a slug may be outdated; the id at its end counts."""
    row: Row | None = db.execute(
        "SELECT * FROM collections WHERE namespace = ? AND id = ?", (namespace, slug[-24:])
    ).fetchone()
    if row is None or (row["private"] and not caller.is_at_home(namespace, "read")):
        raise _missing(namespace, slug)
    if right == "write":
        _check_home(caller, namespace)
    return row


def _find_item(db: Connection, namespace: str, slug: str, item: str, caller: Caller) -> str:
    key: str = _find(db, namespace, slug, caller, "write")["id"]
    query = "SELECT 1 FROM collection_items WHERE collection = ? AND id = ?"
    if not db.execute(query, (key, item)).fetchone():
        raise ApiError(404, "NotFound", f"No such item: {item}")
    return key


def _place(db: Connection, collection: str, item: str, position: int) -> None:
    """Move an item to a position; those between make room."""
    rows = db.execute("SELECT id FROM collection_items WHERE collection = ? ORDER BY position, id", (collection,))
    order = [row["id"] for row in rows if row["id"] != item]
    order.insert(max(position, 0), item)
    db.executemany("UPDATE collection_items SET position = ? WHERE id = ?", [(n, key) for n, key in enumerate(order)])


def _missing(namespace: str, slug: str) -> ApiError:
    return ApiError(404, "NotFound", f"Collection not found: {namespace}/{slug}")


def _slug(row: Row) -> str:
    title = re.sub(r"[^a-z0-9]+", "-", row["title"].lower()).strip("-")[:60] or "collection"
    return f"{row['namespace']}/{title}-{row['id']}"


def _view(db: Connection, row: Row) -> JSON:
    items = db.execute(
        "SELECT * FROM collection_items WHERE collection = ? ORDER BY position, id", (row["id"],)
    ).fetchall()
    return {
        "slug": _slug(row),
        "title": row["title"],
        "description": row["description"],
        "owner": {"name": row["namespace"], "type": "user"},
        "items": [
            {
                "_id": item["id"],
                "id": item["item_id"],
                "type": item["item_type"],
                "position": item["position"],
                "note": {"text": item["note"], "html": ""} if item["note"] else None,
            }
            for item in items
        ],
        "lastUpdated": row["updated_at"],
        "position": row["position"],
        "private": bool(row["private"]),
        "theme": row["theme"],
        "upvotes": 0,
    }
