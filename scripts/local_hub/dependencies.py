"""FastAPI dependencies of the routes: the store, the caller's rights, the repo that a request names."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Request
from pydantic import AfterValidator
from starlette.convertors import Convertor, register_url_convertor

from scripts.local_hub import repos
from scripts.local_hub.errors import ApiError, forbidden
from scripts.local_hub.identity.callers import Caller, Right, of_token
from scripts.local_hub.names import KINDS, Kind
from scripts.local_hub.store import Store

# Routes match the raw path, where a revision is one quoted segment; handlers get the unquoted text.
Unquoted = Annotated[str, AfterValidator(unquote)]


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def token_of(request: Request) -> str:
    """The token that a request was sent with; empty is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":  # git's: the token is the password, whatever the name
        try:
            return base64.b64decode(token).decode().partition(":")[2]
        except ValueError:
            return ""
    return token.strip() if scheme.lower() == "bearer" else ""


def caller_of(request: Request) -> Caller:
    """Whom the request's token names. A wrong one reads public repos as none does."""
    if not hasattr(request.state, "caller"):
        store = store_of(request)
        with store.reading() as db:
            request.state.caller = of_token(db, token_of(request), store.token)
    caller: Caller = request.state.caller
    return caller


def require_token(request: Request) -> None:
    if caller_of(request).role == "none":
        # With this exact message the clients report a bad token; with another, a missing repo.
        message = "Invalid credentials in Authorization header"
        hint = f"{message}. The owner's token of this local Hub is in the file `token` of its store"
        raise ApiError(401, "Unauthorized", message, fields={"error": hint})


def require_writer(request: Request) -> None:
    """Whether they may write is checked where it is known what; a token that reads writes nowhere."""
    require_token(request)
    if caller_of(request).role == "read":
        raise forbidden("This token may only read; make one with the role `write`")


class _KindConvertor(Convertor[str]):
    """`{kind:kind}` in a route matches the three kinds only, so that `/api/models/gpt2` is not a repo of kind `api`."""

    regex = "|".join(KINDS)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("kind", _KindConvertor())

StoreDep = Annotated[Store, Depends(store_of)]
CallerDep = Annotated[Caller, Depends(caller_of)]
LoggedIn = Depends(require_token)
Writer = Depends(require_writer)


@dataclass(frozen=True)
class Target:
    """The repo that a request names, and who asks for it."""

    store: Store
    kind: Kind
    repo_id: str
    caller: Caller

    @contextmanager
    def reading(self, right: Right = "read") -> Iterator[tuple[Connection, repos.Repo]]:
        """
        Raises:
            ApiError: 404, they see no such repo; 403, they have not this right in it.
        """
        with self.store.reading() as db:
            yield db, self._find(db, right)

    @contextmanager
    def writing(self, right: Right = "write") -> Iterator[tuple[Connection, repos.Repo]]:
        """The route must require a token (`Writer`); raises as `reading` does."""
        with self.store.writing() as db:
            yield db, self._find(db, right)

    def _find(self, db: Connection, right: Right) -> repos.Repo:
        repo = repos.find(db, self.kind, self.repo_id, self.caller)
        if right != "read" and not self.caller.may(right, repo.kind, repo.repo_id):
            raise forbidden(f"{self.caller.name} may not write to {repo.repo_id}, or not with this token")
        return repo


def target(kind: Kind, namespace: Unquoted, name: Unquoted, store: StoreDep, caller: CallerDep) -> Target:
    return Target(store, kind, f"{namespace}/{name}", caller)


TargetDep = Annotated[Target, Depends(target)]


def origin(request: Request) -> str:
    """Scheme and host as the client reached us, be it through a proxy; the host was checked."""
    return f"{request.url.scheme}://{request.headers['host']}"


def next_page(request: Request, items: int, offset: int, limit: int) -> dict[str, str]:
    """The `Link` header that leads to the page after this one, when there is one."""
    if offset + limit >= items:
        return {}
    url = request.url.include_query_params(cursor=offset + limit)
    return {"Link": f'<{origin(request)}{url.path}?{url.query}>; rel="next"'}
