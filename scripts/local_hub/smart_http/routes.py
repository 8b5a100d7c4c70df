"""Answer `git clone` and `git fetch` (https://git-scm.com/docs/http-protocol), in version 0 of the protocol."""

import re
import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, Annotated, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from scripts.local_hub.access import gates
from scripts.local_hub.dependencies import CallerDep, StoreDep, Target, Unquoted, target
from scripts.local_hub.errors import ApiError, bad_request
from scripts.local_hub.names import Kind
from scripts.local_hub.smart_http import packs

router = APIRouter()

_REPO = "/{kind:kind}/{namespace}/{name}"
_MOST_BODY = 4 << 20
_IN_MEMORY = 1 << 20
_FLUSH = b"0000"


def _target(kind: Kind, namespace: Unquoted, name: Unquoted, store: StoreDep, caller: CallerDep) -> Target:
    return target(kind, namespace, name.removesuffix(".git"), store, caller)


RepoDep = Annotated[Target, Depends(_target)]


@router.get(_REPO + "/info/refs")
def refs(target: RepoDep, service: Literal["git-upload-pack", "git-receive-pack"]) -> Response:
    """What there is to fetch: HEAD first."""
    if service == "git-receive-pack":
        raise ApiError(403, "Forbidden", "git push is not supported here: use `hf upload`, or open a pull request.")
    lines = [_line(b"# service=git-upload-pack\n"), _FLUSH]
    capabilities = "symref=HEAD:refs/heads/main agent=hanjul-local-hub"
    for name, sha in _refs(target):
        text = f"{sha} {name}" + (f"\0{capabilities}" if name == "HEAD" else "")
        lines.append(_line(text.encode() + b"\n"))
    headers = {"Cache-Control": "no-cache"}
    body = b"".join([*lines, _FLUSH])
    return Response(body, headers=headers, media_type="application/x-git-upload-pack-advertisement")


@router.post(_REPO + "/git-upload-pack")
async def upload_pack(target: RepoDep, request: Request) -> Response:
    """A pack of all that is wanted. What the client has is sent again: it asks for no more than that."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BODY:
            raise bad_request("The request is too long.")
    lines = list(_lines(_unzipped(bytes(body)) if request.headers.get("content-encoding") == "gzip" else bytes(body)))
    wanted = [line[5:45].decode("ascii", "replace") for line in lines if line.startswith(b"want ")]
    answer = _line(b"NAK\n")
    kind = "application/x-git-upload-pack-result"
    if b"done" not in (line.strip() for line in lines):
        return Response(answer, media_type=kind)
    pack = await to_thread.run_sync(_pack, target, wanted)
    return StreamingResponse(_stream(answer, pack), media_type=kind)


def _refs(target: Target) -> list[tuple[str, str]]:
    try:
        with target.reading() as (db, repo):
            gates.check(db, repo, target.caller)
            rows = db.execute("SELECT ref, sha FROM refs WHERE repo = ? ORDER BY ref", (repo.id,)).fetchall()
    except ApiError as error:
        if target.caller.name:
            raise
        # Git asks for a name and a token then, and tries again.
        raise ApiError(
            401, error.code, error.message, headers={"WWW-Authenticate": 'Basic realm="token as password"'}
        ) from error
    named = {row["ref"]: row["sha"] for row in rows}
    return [("HEAD", named["refs/heads/main"]), *named.items()]


def _pack(target: Target, wanted: list[str]) -> IO[bytes]:
    known = {sha for _, sha in _refs(target)}
    if not wanted or not known.issuperset(wanted):
        raise bad_request("Only what the refs name can be fetched.")
    pack = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it was sent
    with target.reading() as (db, repo):
        packs.write(db, repo, target.store.blobs, dict.fromkeys(wanted), pack)
    return pack


def _stream(answer: bytes, pack: IO[bytes]) -> Iterator[bytes]:
    yield answer
    with pack:
        while part := pack.read(1 << 16):
            yield part


def _line(text: bytes) -> bytes:
    return b"%04x%s" % (len(text) + 4, text)


def _lines(body: bytes) -> Iterator[bytes]:
    """The lines of a body, each after its length in four hexadecimal digits; 0000 only divides."""
    at = 0
    while at < len(body):
        digits = body[at : at + 4]
        if not re.fullmatch(rb"[0-9a-f]{4}", digits):
            raise bad_request("The request is not in git's format.")
        length = int(digits, 16)
        yield body[at + 4 : at + length]
        at += max(length, 4)


def _unzipped(body: bytes) -> bytes:
    try:
        stream = zlib.decompressobj(wbits=31)
        text = stream.decompress(body, _MOST_BODY)
    except zlib.error as error:
        raise bad_request("The request is not in gzip's format.") from error
    if stream.unconsumed_tail:
        raise bad_request("The request is too long.")
    return text
