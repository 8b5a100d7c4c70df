"""`hanjul hub users`: who may use the local Hub, and by what tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.errors import HanjulError
from scripts.core import env

if TYPE_CHECKING:
    from sqlite3 import Connection

app = typer.Typer(no_args_is_help=True, help="Users and organisations of the local Hub.")
tokens_app = typer.Typer(no_args_is_help=True, help="Their tokens.")
app.add_typer(tokens_app, name="tokens")

Name = Annotated[str, typer.Argument(help="Of a user or an organisation.")]


class TokenRole(StrEnum):
    read = "read"
    write = "write"
    fine_grained = "fine-grained"


@contextmanager
def _store() -> Iterator[Connection]:
    """The store's database, served or not: a server sees changes at once.

    Raises:
        HanjulError: what the store refuses.
    """
    from scripts.local_hub.access.administering import changing
    from scripts.local_hub.errors import ApiError

    folder = env.hub_store()
    try:
        with changing(folder) as db:
            yield db
    except ApiError as error:
        raise HanjulError(error.message, str(folder), "`hanjul hub users list` shows who is there") from error


@app.command("add")
def add(
    name: Name,
    fullname: Annotated[str, typer.Option(help="As pages show it; else the name.")] = "",
    org: Annotated[bool, typer.Option("--org", help="An organisation, or more members for one.")] = False,
    member: Annotated[list[str] | None, typer.Option(help="User of the organisation; repeat for more.")] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Members only read its private repos.")] = False,
    private: Annotated[bool, typer.Option("--private-by-default", help="New repos of it are private.")] = False,
) -> None:
    """Add a user, or an organisation and its members."""
    if member and not org:
        raise typer.BadParameter("--member goes with --org")
    from scripts.local_hub.access import accounts

    with _store() as db:
        there = accounts.find(db, name)
        if not (org and member and there and there.kind == "org"):
            accounts.add(db, accounts.Account(name, "org" if org else "user", fullname or name, private, ""))
        for user in member or []:
            accounts.join(db, name, user, "read" if read_only else "write")


@app.command("list")
def list_() -> None:
    """Who is there: name, kind, and how many tokens or which members."""
    from scripts.local_hub.access import accounts, tokens

    with _store() as db:
        for account in accounts.everyone(db):
            if account.kind == "user":
                detail = f"{len(tokens.of_user(db, account.name))} tokens"
            else:
                detail = ", ".join(f"{member.name} ({role})" for member, role in accounts.members_of(db, account.name))
            print(account.name, account.kind, detail, sep="\t")


@app.command("remove")
def remove(name: Name) -> None:
    """Remove a user or an organisation: tokens end at once, repos stay."""
    from scripts.local_hub.access import accounts

    with _store() as db:
        accounts.remove(db, name)


@tokens_app.command("add")
def add_token(
    name: Annotated[str, typer.Argument(help="User who will have it.")],
    label: Annotated[str, typer.Option("--name", help="What the token is called.")] = "default",
    role: Annotated[TokenRole, typer.Option(help="read, write, or fine-grained with --scope.")] = TokenRole.write,
    scope: Annotated[
        list[str] | None, typer.Option(help="NAMESPACE:read, models/NAMESPACE/NAME:write and the like; repeatable.")
    ] = None,
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from scripts.local_hub.access import tokens

    with _store() as db:
        print(tokens.make(db, name, label, role.value, [tokens.scope(text) for text in scope or []]))


@tokens_app.command("list")
def list_tokens(name: Annotated[str, typer.Argument(help="User whose they are.")]) -> None:
    """Id, name, role and scopes of each token."""
    from scripts.local_hub.access import tokens

    with _store() as db:
        for token in tokens.of_user(db, name):
            scopes = " ".join(f"{scope.entity}:{scope.right}" for scope in token.scopes)
            print(token.id, token.name, token.role, token.created_at, scopes, sep="\t")


@tokens_app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="User whose it is.")],
    token: Annotated[str, typer.Argument(help="Name or id of the token.")],
) -> None:
    """End a token."""
    from scripts.local_hub.access import tokens

    with _store() as db:
        tokens.revoke(db, name, token)
