"""FastAPI dependencies of the routes: the store, the caller's rights, the repo that a request names."""

import hmac
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
from scripts.local_hub.errors import ApiError
from scripts.local_hub.names import KINDS, Kind
from scripts.local_hub.store import Store

# Routes match the raw path, where a revision is one quoted segment; handlers get the unquoted text.
Unquoted = Annotated[str, AfterValidator(unquote)]


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def is_authorized(request: Request) -> bool:
    """Whether the request carries this store's token.

    A wrong token reads public repos as no token does: people are logged in to the real Hub, and that token says
    nothing here.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    expected = store_of(request).token
    return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), expected.encode())


def require_token(request: Request) -> None:
    if not is_authorized(request):
        # With this exact message the clients report a bad token; with another, a missing repo.
        message = "Invalid credentials in Authorization header"
        hint = f"{message}. The token of this local Hub is in {store_of(request).folder / 'token'}"
        raise ApiError(401, "Unauthorized", message, fields={"error": hint})


class _KindConvertor(Convertor[str]):
    """`{kind:kind}` in a route matches the three kinds only, so that `/api/models/gpt2` is not a repo of kind `api`."""

    regex = "|".join(KINDS)

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("kind", _KindConvertor())

StoreDep = Annotated[Store, Depends(store_of)]
Authorized = Annotated[bool, Depends(is_authorized)]
Writer = Depends(require_token)


@dataclass(frozen=True)
class Target:
    """The repo that a request names, and what the caller may do with it."""

    store: Store
    kind: Kind
    repo_id: str
    authorized: bool

    @contextmanager
    def reading(self) -> Iterator[tuple[Connection, repos.Repo]]:
        with self.store.reading() as db:
            yield db, repos.find(db, self.kind, self.repo_id, authorized=self.authorized)

    @contextmanager
    def writing(self) -> Iterator[tuple[Connection, repos.Repo]]:
        """The route must require the token (`Writer`)."""
        with self.store.writing() as db:
            yield db, repos.find(db, self.kind, self.repo_id, authorized=True)


def target(kind: Kind, namespace: Unquoted, name: Unquoted, store: StoreDep, authorized: Authorized) -> Target:
    return Target(store, kind, f"{namespace}/{name}", authorized)


TargetDep = Annotated[Target, Depends(target)]


def origin(request: Request) -> str:
    """Scheme and host as the client reached us; the host was checked to be loopback."""
    return f"http://{request.headers['host']}"


def next_page(request: Request, items: int, offset: int, limit: int) -> dict[str, str]:
    """The `Link` header that leads to the page after this one, when there is one."""
    if offset + limit >= items:
        return {}
    url = request.url.include_query_params(cursor=offset + limit)
    return {"Link": f'<{origin(request)}{url.path}?{url.query}>; rel="next"'}
