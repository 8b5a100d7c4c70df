"""Say who calls, and who users and organisations are."""

from sqlite3 import Connection

from fastapi import APIRouter, Request

from scripts.local_hub.access import accounts, tokens
from scripts.local_hub.access.accounts import Account
from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import CallerDep, LoggedIn, StoreDep, Unquoted, token_of
from scripts.local_hub.identity.callers import OWNER_NAME
from scripts.local_hub.names import KINDS, Kind

router = APIRouter()

_OWNER = Account(OWNER_NAME, "user", "Local Hub", False, "")


@router.get("/api/whoami-v2", dependencies=[LoggedIn])
def whoami(store: StoreDep, caller: CallerDep, request: Request) -> JSON:
    with store.reading() as db:
        account = accounts.find(db, caller.name) or _OWNER
        token = tokens.find(db, token_of(request))
        homes = accounts.organisations_of(db, caller.name)
    shown: JSON = {"displayName": token.name if token else OWNER_NAME, "role": caller.role}
    if caller.role == "fine-grained":
        scoped = [{"entity": {"name": scope.entity}, "permissions": [scope.right]} for scope in caller.scopes]
        shown |= {"role": "fineGrained", "fineGrained": {"scoped": scoped}}
    organisations = [
        {"type": "org", "name": home.name, "fullname": home.fullname, "roleInOrg": role} for home, role in homes
    ]
    return {
        "type": "user",
        "id": account.name,
        "name": account.name,
        "fullname": account.fullname,
        "email": None,
        "isPro": False,
        "orgs": organisations,
        "auth": {"type": "access_token", "accessToken": shown},
    }


@router.get("/api/users/{name}/overview")
def user_overview(name: Unquoted, store: StoreDep, caller: CallerDep) -> JSON:
    with store.reading() as db:
        account = _find(db, name, "user")
        orgs = [_brief(home) for home, _ in accounts.organisations_of(db, account.name)]
        likes = db.execute("SELECT count(*) FROM likes WHERE user = ?", (account.name,)).fetchone()[0]
        return _brief(account) | _counts(db, account.name) | {"orgs": orgs, "numLikes": likes}


@router.get("/api/organizations/{name}/overview")
def organisation_overview(name: Unquoted, store: StoreDep) -> JSON:
    with store.reading() as db:
        account = _find(db, name, "org")
        members = accounts.members_of(db, account.name)
        return _brief(account) | _counts(db, account.name) | {"numUsers": len(members)}


@router.get("/api/organizations/{name}/members")
def organisation_members(name: Unquoted, store: StoreDep) -> list[JSON]:
    with store.reading() as db:
        members = accounts.members_of(db, _find(db, name, "org").name)
    return [_brief(member) | {"isFollowing": False} for member, _ in members]


def _find(db: Connection, name: str, kind: str) -> Account:
    account = _OWNER if name.lower() == OWNER_NAME else accounts.find(db, name)
    if account is None or account.kind != kind:
        raise accounts.no_account(name)
    return account


def _brief(account: Account) -> JSON:
    """What `User` and `Organization` read of everyone. There are no pictures here."""
    names: JSON = {"name": account.name} if account.kind == "org" else {"user": account.name}
    return names | {"type": account.kind, "fullname": account.fullname, "avatarUrl": ""}


def _counts(db: Connection, namespace: str) -> JSON:
    """How many public repos of each kind there are."""
    query = "SELECT count(*) FROM repos WHERE kind = ? AND repo_id LIKE ? ESCAPE '!' AND visibility != 'private'"
    pattern = namespace.replace("_", "!_") + "/%"

    def count(kind: Kind) -> int:
        return int(db.execute(query, (kind, pattern)).fetchone()[0])

    return {f"num{kind.capitalize()}": count(kind) for kind in KINDS}
