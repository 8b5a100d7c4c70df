"""Ask for access to gated repos, and decide on it."""

from urllib.parse import parse_qs

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from scripts.local_hub.access import accounts, gates
from scripts.local_hub.access.gates import AccessRequest, Status
from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import Target, TargetDep, Writer
from scripts.local_hub.errors import ApiError, bad_request

router = APIRouter()

_ACCESS = "/api/{kind:kind}/{namespace}/{name}/user-access-request"


class User(BaseModel):
    user: str


@router.post(_ACCESS + "/grant", dependencies=[Writer])
def grant(new: User, target: TargetDep) -> JSON:
    with target.writing() as (db, repo):
        account = accounts.find(db, new.user)
        if account is None or account.kind != "user":
            raise accounts.no_account(new.user)
        return _view(gates.grant(db, repo, account.name), account)


class Decision(BaseModel):
    status: Status
    user: str | None = None
    requestId: str | None = None
    rejectionReason: str | None = None


@router.post(_ACCESS + "/handle", dependencies=[Writer])
def handle(decision: Decision, target: TargetDep) -> JSON:
    with target.writing() as (db, repo):
        if decision.requestId:
            asked = gates.of_id(db, repo, decision.requestId)
        elif decision.user is None:
            raise bad_request("Give `user` or `requestId`.")
        elif (found := gates.find(db, repo, decision.user)) is None:
            raise ApiError(404, "NotFound", f"{decision.user} has not asked for access to {repo.repo_id}.")
        else:
            asked = found
        done = gates.handle(db, repo, asked, decision.status, decision.rejectionReason)
        return _view(done, accounts.find(db, done.user))


@router.post(_ACCESS + "/cancel", dependencies=[Writer])
def withdraw(target: TargetDep) -> Response:
    """Take one's own request back."""
    with target.writing("read") as (db, repo):
        gates.withdraw(db, repo, target.caller.name)
    return Response()


@router.get(_ACCESS + "/{status}", dependencies=[Writer])
def list_requests(status: Status, target: TargetDep) -> list[JSON]:
    with target.reading("write") as (db, repo):
        return [_view(item, accounts.find(db, item.user)) for item in gates.of_repo(db, repo, status)]


@router.post("/{kind:kind}/{namespace}/{name}/ask-access", dependencies=[Writer])
async def ask(target: TargetDep, request: Request) -> JSON:
    """The body is the form that a card describes: its fields are kept as they come."""
    try:
        form = parse_qs((await request.body()).decode(), keep_blank_values=True)
    except ValueError as error:
        raise bad_request("The body must be a form.") from error
    return await to_thread.run_sync(_ask, target, {key: values[-1] for key, values in form.items()})


def _ask(target: Target, fields: dict[str, str]) -> JSON:
    with target.writing("read") as (db, repo):
        asked = gates.ask(db, repo, target.caller.name, fields)
        return _view(asked, accounts.find(db, asked.user))


def _view(asked: AccessRequest, account: accounts.Account | None) -> JSON:
    """What `AccessRequest` of the client reads; who was granted access shared nothing."""
    user = {"user": asked.user, "fullname": account.fullname if account else asked.user, "email": None}
    view: JSON = {"requestId": asked.id, "status": asked.status, "timestamp": asked.at, "user": user}
    if asked.granted:
        view["grantedBy"] = {"type": "user"}
    return view | ({"rejectionReason": asked.reason} if asked.reason else {}) | {"fields": dict(asked.fields)}
