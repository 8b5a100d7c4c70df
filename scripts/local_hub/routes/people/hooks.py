"""Manage one's own webhooks."""

from typing import Annotated, Literal

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, Field

from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import CallerDep, StoreDep, Writer
from scripts.local_hub.errors import bad_request
from scripts.local_hub.hooks import webhooks
from scripts.local_hub.hooks.webhooks import Domain, Webhook

router = APIRouter()

_ALL = "/api/settings/webhooks"
_ONE = _ALL + "/{webhook}"
_MOST = 100

Address = Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+([/?][^\s#]*)?$", max_length=2048)]


class Watched(BaseModel):
    type: Literal["user", "org", "model", "dataset", "space"]
    name: str = Field(min_length=1, max_length=200)


class NewWebhook(BaseModel):
    """Without `jobSourceId`: nothing here could run a job."""

    url: Address
    watched: list[Watched] = Field(min_length=1, max_length=1000)
    domains: list[Domain] = Field(["repo", "discussion"], min_length=1)
    secret: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,256}$")] | None = None


class WebhookPatch(BaseModel):
    """What is left out, or empty, stays."""

    url: Address | None = None
    watched: list[Watched] = Field([], max_length=1000)
    domains: list[Domain] = []
    secret: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,256}$")] | None = None


@router.get(_ALL, dependencies=[Writer])
def list_webhooks(store: StoreDep, caller: CallerDep) -> list[JSON]:
    with store.reading() as db:
        return [_view(hook) for hook in webhooks.of_user(db, caller.name)]


@router.post(_ALL, dependencies=[Writer])
def create(new: NewWebhook, store: StoreDep, caller: CallerDep) -> JSON:
    watched = tuple(item.model_dump() for item in new.watched)
    hook = Webhook(webhooks.new_id(), caller.name, new.url, watched, tuple(new.domains), new.secret, disabled=False)
    with store.writing() as db:
        if len(webhooks.of_user(db, caller.name)) >= _MOST:
            raise bad_request(f"A user has {_MOST} webhooks at most.")
        webhooks.save(db, hook)
    return {"webhook": _view(hook)}


@router.get(_ONE, dependencies=[Writer])
def get(webhook: str, store: StoreDep, caller: CallerDep) -> JSON:
    with store.reading() as db:
        return {"webhook": _view(webhooks.find(db, caller.name, webhook))}


@router.post(_ONE, dependencies=[Writer])
def update(webhook: str, patch: WebhookPatch, store: StoreDep, caller: CallerDep) -> JSON:
    with store.writing() as db:
        old = webhooks.find(db, caller.name, webhook)
        watched = tuple(item.model_dump() for item in patch.watched) or old.watched
        domains, secret = tuple(patch.domains) or old.domains, patch.secret or old.secret
        new = Webhook(old.id, old.user, patch.url or old.url, watched, domains, secret, old.disabled)
        webhooks.save(db, new)
    return {"webhook": _view(new)}


@router.post(_ONE + "/{action}", dependencies=[Writer])
def switch(webhook: str, action: Literal["enable", "disable"], store: StoreDep, caller: CallerDep) -> JSON:
    with store.writing() as db:
        old = webhooks.find(db, caller.name, webhook)
        new = Webhook(old.id, old.user, old.url, old.watched, old.domains, old.secret, disabled=action == "disable")
        webhooks.save(db, new)
    return {"webhook": _view(new)}


@router.delete(_ONE, dependencies=[Writer])
def delete(webhook: str, store: StoreDep, caller: CallerDep) -> Response:
    with store.writing() as db:
        webhooks.delete(db, webhooks.find(db, caller.name, webhook))
    return Response()


def _view(hook: Webhook) -> JSON:
    return {
        "id": hook.id,
        "url": hook.url,
        "watched": list(hook.watched),
        "domains": list(hook.domains),
        "secret": hook.secret,
        "disabled": hook.disabled,
    }
