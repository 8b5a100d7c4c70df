"""Keep collections: named lists of repos."""

import re
import secrets
from sqlite3 import Connection, Row
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import Authorized, StoreDep, Unquoted, Writer, next_page
from scripts.local_hub.errors import ApiError, conflict
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
def create(new: NewCollection, store: StoreDep) -> JSON:
    """409 with the `slug` when the namespace has a collection of this title."""
    check_repo_id(new.namespace, "collection")
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
    authorized: Authorized,
    request: Request,
    owner: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies the default
    item: Annotated[list[str], Query()] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
    cursor: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> JSONResponse:
    """`item` is `models/ns/name`, `datasets/…` or `spaces/…`."""
    with store.reading() as db:
        rows = db.execute("SELECT * FROM collections ORDER BY updated_at DESC").fetchall()
        views = [_view(db, row) for row in rows if authorized or not row["private"]]
    kept = [
        {key: value for key, value in view.items() if key != "position"}  # the client numbers them itself
        for view in views
        if (not owner or view["slug"].split("/")[0] in owner)  # type: ignore[attr-defined]
        and (not item or any(f"{entry['type']}s/{entry['id']}" in item for entry in view["items"]))  # type: ignore[attr-defined]
    ]
    return JSONResponse(kept[cursor : cursor + limit], headers=next_page(request, len(kept), cursor, limit))


@router.get(_COLLECTION)
def get(namespace: Unquoted, slug: Unquoted, store: StoreDep, authorized: Authorized) -> JSON:
    with store.reading() as db:
        row = _find(db, namespace, slug)
        if row["private"] and not authorized:
            raise _missing(namespace, slug)
        return _view(db, row)


class CollectionPatch(BaseModel):
    title: str | None = None
    description: str | None = None
    position: int | None = None
    private: bool | None = None
    theme: str | None = None


@router.patch(_COLLECTION, dependencies=[Writer])
def update(namespace: Unquoted, slug: Unquoted, patch: CollectionPatch, store: StoreDep) -> dict[str, JSON]:
    with store.writing() as db:
        row = _find(db, namespace, slug)
        _set(db, "collections", row["id"], patch.model_dump(exclude_none=True) | {"updated_at": now()})
        return {"data": _view(db, _row(db, row["id"]))}


@router.delete(_COLLECTION, dependencies=[Writer])
def delete(namespace: Unquoted, slug: Unquoted, store: StoreDep) -> Response:
    with store.writing() as db:
        db.execute("DELETE FROM collections WHERE id = ?", (_find(db, namespace, slug)["id"],))
    return Response()


class Item(BaseModel):
    id: str
    type: Literal["model", "dataset", "space"]


class NewItem(BaseModel):
    item: Item
    note: str | None = None


@router.post(_COLLECTION + "/items", dependencies=[Writer])
@router.post(_COLLECTION + "/item", dependencies=[Writer])
def add_item(namespace: Unquoted, slug: Unquoted, new: NewItem, store: StoreDep) -> JSON:
    with store.writing() as db:
        row = _find(db, namespace, slug)
        repo = find(db, KIND_OF_TYPE[new.item.type], new.item.id, authorized=True)
        items = db.execute("SELECT * FROM collection_items WHERE collection = ?", (row["id"],)).fetchall()
        if any((item["item_id"], item["item_type"]) == (repo.repo_id, new.item.type) for item in items):
            raise conflict(f"{repo.repo_id} is in the collection already")
        db.execute(
            "INSERT INTO collection_items VALUES (?, ?, ?, ?, ?, ?)",
            (secrets.token_hex(12), row["id"], repo.repo_id, new.item.type, new.note, len(items)),
        )
        _set(db, "collections", row["id"], {"updated_at": now()})
        return _view(db, _row(db, row["id"]))


class ItemPatch(BaseModel):
    position: int | None = None
    note: str | None = None


@router.patch(_COLLECTION + "/items/{item}", dependencies=[Writer])
def update_item(namespace: Unquoted, slug: Unquoted, item: str, patch: ItemPatch, store: StoreDep) -> Response:
    with store.writing() as db:
        _find_item(db, namespace, slug, item)
        _set(db, "collection_items", item, patch.model_dump(exclude_none=True))
    return Response()


@router.delete(_COLLECTION + "/items/{item}", dependencies=[Writer])
def delete_item(namespace: Unquoted, slug: Unquoted, item: str, store: StoreDep) -> Response:
    with store.writing() as db:
        _find_item(db, namespace, slug, item)
        db.execute("DELETE FROM collection_items WHERE id = ?", (item,))
    return Response()


def _set(db: Connection, table: str, key: str, values: dict[str, object]) -> None:
    for column, value in values.items():  # column names are those of the models above
        db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, key))  # noqa: S608


def _row(db: Connection, key: str) -> Row:
    row: Row = db.execute("SELECT * FROM collections WHERE id = ?", (key,)).fetchone()
    return row


def _find(db: Connection, namespace: str, slug: str) -> Row:
    """The title in a slug may be outdated; the id at its end counts."""
    row: Row | None = db.execute(
        "SELECT * FROM collections WHERE namespace = ? AND id = ?", (namespace, slug[-24:])
    ).fetchone()
    if row is None:
        raise _missing(namespace, slug)
    return row


def _find_item(db: Connection, namespace: str, slug: str, item: str) -> None:
    key = _find(db, namespace, slug)["id"]
    query = "SELECT 1 FROM collection_items WHERE collection = ? AND id = ?"
    if not db.execute(query, (key, item)).fetchone():
        raise ApiError(404, "NotFound", f"No such item: {item}")


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
