"""Like repos, and say who likes what."""

from fastapi import APIRouter
from fastapi.responses import Response

from scripts.local_hub.access import accounts
from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import CallerDep, StoreDep, TargetDep, Unquoted, Writer
from scripts.local_hub.store import now

router = APIRouter()

_LIKE = "/api/{kind:kind}/{namespace}/{name}/like"


@router.post(_LIKE, dependencies=[Writer])
def like(target: TargetDep) -> Response:
    with target.writing("read") as (db, repo):
        db.execute("INSERT OR IGNORE INTO likes VALUES (?, ?, ?)", (repo.id, target.caller.name, now()))
    return Response()


@router.delete(_LIKE, dependencies=[Writer])
def unlike(target: TargetDep) -> Response:
    with target.writing("read") as (db, repo):
        db.execute("DELETE FROM likes WHERE repo = ? AND user = ?", (repo.id, target.caller.name))
    return Response()


@router.get("/api/{kind:kind}/{namespace}/{name}/likers")
def likers(target: TargetDep) -> list[JSON]:
    with target.reading() as (db, repo):
        rows = db.execute("SELECT user FROM likes WHERE repo = ? ORDER BY at DESC", (repo.id,)).fetchall()
        people = [(row["user"], accounts.find(db, row["user"])) for row in rows]
    return [
        {"type": "user", "user": name, "fullname": account.fullname if account else name, "avatarUrl": ""}
        for name, account in people
    ]


@router.get("/api/users/{name}/likes")
def likes_of(name: Unquoted, store: StoreDep, caller: CallerDep) -> list[JSON]:
    """The newest first; private repos only for those who may see them."""
    with store.reading() as db:
        rows = db.execute(
            "SELECT kind, repo_id, visibility, at FROM likes JOIN repos ON repos.id = likes.repo WHERE user = ? "
            "ORDER BY at DESC",
            (name,),
        ).fetchall()
    return [
        {"createdAt": row["at"], "repo": {"name": row["repo_id"], "type": row["kind"].removesuffix("s")}}
        for row in rows
        if row["visibility"] != "private" or caller.sees(row["kind"], row["repo_id"])
    ]
