"""Find, change and show collections and their items."""

import re
from sqlite3 import Connection, Row
from typing import Literal

from pydantic import BaseModel

from scripts.local_hub import repos
from scripts.local_hub.cards import JSON
from scripts.local_hub.errors import ApiError, forbidden
from scripts.local_hub.identity.callers import Caller, Right
from scripts.local_hub.names import KIND_OF_TYPE


class Item(BaseModel):
    id: str
    type: Literal["model", "dataset", "space", "collection", "paper"]


def item_name(db: Connection, item: Item, caller: Caller) -> str:
    """What it is called where it is kept. Papers are elsewhere: of them only the form of the id is checked."""
    if item.type == "paper":
        if not re.fullmatch(r"\d{4}\.\d{4,5}", item.id):
            raise ApiError(404, "NotFound", f"{item.id} is no paper's id")
        return item.id
    if item.type == "collection":
        namespace, _, slug = item.id.partition("/")
        return slug_of(find(db, namespace, slug, caller))
    return repos.find(db, KIND_OF_TYPE[item.type], item.id, caller).repo_id


def change(db: Connection, table: str, key: str, values: dict[str, object]) -> None:
    for column, value in values.items():  # column names are those of the models above
        db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, key))  # noqa: S608


def row_of(db: Connection, key: str) -> Row:
    row: Row = db.execute("SELECT * FROM collections WHERE id = ?", (key,)).fetchone()
    return row


def check_home(caller: Caller, namespace: str) -> None:
    if not caller.is_at_home(namespace):
        raise forbidden(f"You don't have the rights to keep collections under {namespace}")


def find(db: Connection, namespace: str, slug: str, caller: Caller, right: Right = "read") -> Row:
    """The title in a slug may be outdated; the id at its end counts."""
    row: Row | None = db.execute(
        "SELECT * FROM collections WHERE namespace = ? AND id = ?", (namespace, slug[-24:])
    ).fetchone()
    if row is None or (row["private"] and not caller.is_at_home(namespace, "read")):
        raise _missing(namespace, slug)
    if right == "write":
        check_home(caller, namespace)
    return row


def find_item(db: Connection, namespace: str, slug: str, item: str, caller: Caller) -> str:
    key: str = find(db, namespace, slug, caller, "write")["id"]
    query = "SELECT 1 FROM collection_items WHERE collection = ? AND id = ?"
    if not db.execute(query, (key, item)).fetchone():
        raise ApiError(404, "NotFound", f"No such item: {item}")
    return key


def place(db: Connection, collection: str, item: str, position: int) -> None:
    """Move an item to a position; those between make room."""
    rows = db.execute("SELECT id FROM collection_items WHERE collection = ? ORDER BY position, id", (collection,))
    order = [row["id"] for row in rows if row["id"] != item]
    order.insert(max(position, 0), item)
    db.executemany("UPDATE collection_items SET position = ? WHERE id = ?", [(n, key) for n, key in enumerate(order)])


def _missing(namespace: str, slug: str) -> ApiError:
    return ApiError(404, "NotFound", f"Collection not found: {namespace}/{slug}")


def slug_of(row: Row) -> str:
    title = re.sub(r"[^a-z0-9]+", "-", row["title"].lower()).strip("-")[:60] or "collection"
    return f"{row['namespace']}/{title}-{row['id']}"


def view(db: Connection, row: Row, caller: Caller) -> JSON:
    """What `Collection` reads, without the repos that the caller may not see."""
    items = db.execute(
        "SELECT * FROM collection_items WHERE collection = ? ORDER BY position, id", (row["id"],)
    ).fetchall()
    return {
        "slug": slug_of(row),
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
            if _is_visible(db, item, caller)
        ],
        "lastUpdated": row["updated_at"],
        "position": row["position"],
        "private": bool(row["private"]),
        "theme": row["theme"],
        "upvotes": 0,
    }


def _is_visible(db: Connection, item: Row, caller: Caller) -> bool:
    kind = KIND_OF_TYPE.get(item["item_type"])
    if kind is None:
        return True
    query = "SELECT visibility FROM repos WHERE kind = ? AND repo_id = ?"
    repo = db.execute(query, (kind, item["item_id"])).fetchone()
    return repo is None or repo["visibility"] != "private" or caller.sees(kind, item["item_id"])
