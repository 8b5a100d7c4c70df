"""Receive files by the Xet protocol (https://huggingface.co/docs/xet/api), which huggingface_hub takes by default."""

import hashlib
import hmac
import re
import time
from typing import IO, Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import JSONResponse

from scripts.local_hub.dependencies import StoreDep, TargetDep, Unquoted, Writer, origin
from scripts.local_hub.errors import ApiError, bad_request, not_supported
from scripts.local_hub.store import Store
from scripts.local_hub.xet.shard import BadShard, read_files
from scripts.local_hub.xet.stash import Unassembled
from scripts.local_hub.xet.xorb import BadXorb

router = APIRouter()

_VALID_S = 3600
#: Bytes of a xorb and of a shard at most: 64 MiB, and room for a footer.
_MOST_BYTES = 66 << 20

Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.get("/api/{kind:kind}/{namespace}/{name}/xet-write-token/{revision}", dependencies=[Writer])
def write_token(revision: Unquoted, target: TargetDep, request: Request) -> JSONResponse:
    """Where a client is to send chunks, and by what token for an hour. The revision need not be there yet."""
    with target.reading("propose"):
        pass
    expires, era = int(time.time()) + _VALID_S, target.store.xet.era
    token = f"{expires}.{_signature(target.store, era, expires)}"
    address = f"{origin(request)}/api/local-hub/xet/{era}"
    headers = {"X-Xet-Cas-Url": address, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(expires)}
    return JSONResponse({"casUrl": address, "accessToken": token, "exp": expires}, headers=headers)


@router.get("/api/{kind:kind}/{namespace}/{name}/xet-read-token/{revision}")
def no_read_token() -> None:
    raise not_supported("The local Hub sends files whole: no answer of its has an X-Xet-Hash.")


def require_xet_token(era: str, request: Request, store: StoreDep) -> None:
    """
    Raises:
        ApiError: 401, upon which clients ask for a new one.
    """
    token = request.headers.get("authorization", "").partition(" ")[2].strip()
    expires, _, signature = token.partition(".")
    valid = re.fullmatch(r"[0-9]{1,12}", expires) and time.time() < int(expires) and era == store.xet.era
    if not valid or not hmac.compare_digest(signature.encode(), _signature(store, era, int(expires)).encode()):
        raise ApiError(401, "Unauthorized", "This token of the Xet storage is not valid, or no longer.")


_XetWriter = Depends(require_xet_token)


@router.get("/api/local-hub/xet/{era}/v1/chunks/{prefix}/{name}", dependencies=[_XetWriter])
def no_chunk(name: Hash) -> None:
    """Clients send what they do not know to be here; few chunks of theirs are."""
    raise ApiError(404, "NotFound", f"The chunk {name} is not known.")


@router.post("/api/local-hub/xet/{era}/v1/xorbs/default/{name}", dependencies=[_XetWriter])
async def receive_xorb(name: Hash, store: StoreDep, request: Request) -> dict[str, bool]:
    """Stream chunks to disk. Whether they are what their name says shows when a file is made of them."""
    with store.xet.receiving() as file:
        await _receive(request, file)
        inserted = not store.xet.has(name)
        if inserted:
            try:
                await to_thread.run_sync(store.xet.keep, name, file)
            except BadXorb as error:
                raise bad_request(f"The xorb {name} cannot be read: {error}") from error
    return {"was_inserted": inserted}


@router.post("/api/local-hub/xet/{era}/v1/shards", dependencies=[_XetWriter])
async def receive_shard(store: StoreDep, request: Request) -> dict[str, int]:
    """Make files of the chunks that were sent; on the answer they are on disk."""
    with store.xet.receiving() as file:
        await _receive(request, file)
        file.seek(0)
        try:
            await to_thread.run_sync(lambda: store.xet.assemble(read_files(file)))
        except BadShard as error:
            raise bad_request(f"The shard cannot be read: {error}") from error
        except Unassembled as error:
            raise bad_request(f"The shard cannot be taken: {error}. Upload again.") from error
    return {"result": 1}


async def _receive(request: Request, file: IO[bytes]) -> None:
    """Write the body to a file. What is too much is read and dropped: who is cut off never reads the answer."""
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= _MOST_BYTES:
            file.write(part)
    if size > _MOST_BYTES:
        raise bad_request(f"The body has {size:,} bytes, and may have {_MOST_BYTES:,}.")


def _signature(store: Store, era: str, expires: int) -> str:
    return hmac.new(store.token.encode(), f"xet:{era}:{expires}".encode(), hashlib.sha256).hexdigest()
