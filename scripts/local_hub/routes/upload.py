"""Receive uploads before their commit: how each file is to be sent, and the LFS protocol's basic transfer."""

import hashlib
import hmac
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from scripts.local_hub import blobs, commits, uploads
from scripts.local_hub.dependencies import StoreDep, TargetDep, Unquoted, Writer, origin
from scripts.local_hub.errors import ApiError, bad_request
from scripts.local_hub.store import Store

router = APIRouter()

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0, lt=2**53)]


class Candidate(BaseModel):
    path: str
    size: Size
    sample: str = ""


class Preupload(BaseModel):
    files: list[Candidate]


@router.post("/api/{kind:kind}/{namespace}/{name}/preupload/{revision}", dependencies=[Writer])
def preupload(
    revision: Unquoted, body: Preupload, target: TargetDep, create_pr: Annotated[bool, Query()] = False
) -> dict[str, list[dict[str, object]]]:
    """`oid` is that of the file as it is now, so that clients skip what has not changed."""
    with target.reading(commits.right_to(revision, create_pr)) as (db, repo):
        files = commits.files_of(db, commits.resolve(db, repo, revision).tree)
    rules = files.get(".gitattributes")
    path = blobs.path_of(target.store.blobs, rules.sha256) if rules else None
    patterns = uploads.lfs_patterns(path.read_text("utf-8", "replace")) if path else []
    answers: list[dict[str, object]] = []
    for file in body.files:
        lfs = uploads.is_lfs(file.path, file.size, uploads.decoded(file.sample), patterns)
        answer: dict[str, object] = {
            "path": file.path,
            "uploadMode": "lfs" if lfs else "regular",
            "shouldIgnore": False,
        }
        if file.path in files:
            answer["oid"] = files[file.path].etag
        answers.append(answer)
    return {"files": answers}


class LfsObject(BaseModel):
    oid: Sha256
    size: Size


class Batch(BaseModel):
    operation: str
    objects: list[LfsObject]
    transfers: list[str] = ["basic"]


@router.post("/{kind:kind}/{namespace}/{name}.git/info/lfs/objects/batch", dependencies=[Writer])
def lfs_batch(batch: Batch, target: TargetDep, request: Request) -> JSONResponse:
    """Offer an upload address for every object that is not stored yet."""
    if batch.operation != "upload" or "basic" not in batch.transfers:
        raise bad_request("The local Hub does uploads by the basic transfer; downloads go through `resolve`.")
    with target.reading("propose"):
        pass
    base = f"{origin(request)}/api/local-hub/lfs"
    objects: list[dict[str, object]] = []
    for item in batch.objects:
        answer: dict[str, object] = {"oid": item.oid, "size": item.size}
        if not blobs.path_of(target.store.blobs, item.oid).exists():
            signature = _signature(target.store, item.oid, item.size)
            answer["actions"] = {
                "upload": {"href": f"{base}/{item.oid}?size={item.size}&signature={signature}"},
                "verify": {"href": f"{base}/verify"},
            }
        objects.append(answer)
    return JSONResponse({"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json")


@router.put("/api/local-hub/lfs/{oid}")
async def lfs_put(
    oid: Sha256,
    size: Annotated[int, Query()],
    signature: Annotated[str, Query()],
    store: StoreDep,
    request: Request,
) -> Response:
    """Stream the body to disk. The signed address is the permission: clients send no token here."""
    if not hmac.compare_digest(signature.encode(), _signature(store, oid, size).encode()):
        raise ApiError(403, "Forbidden", "This upload address is not valid here.")
    with blobs.open_writer(store.blobs) as blob:
        try:
            async for chunk in request.stream():
                if blob.size <= size:
                    blob.write(chunk)
        except OSError:
            # A client that is cut off while it sends never reads the answer: take the rest, then say why.
            async for _ in request.stream():
                pass
            raise
        if blob.size != size or blob.sha256 != oid:
            raise bad_request(f"Got {blob.size} bytes with sha256 {blob.sha256}, expected {size} with {oid}.")
        await to_thread.run_sync(blob.keep)
    return Response()


@router.post("/api/local-hub/lfs/verify", dependencies=[Writer])
def lfs_verify(item: LfsObject, store: StoreDep) -> Response:
    path = blobs.path_of(store.blobs, item.oid)
    if not path.exists() or path.stat().st_size != item.size:
        raise ApiError(404, "NotFound", f"The object {item.oid} of {item.size} bytes is not stored.")
    return Response()


def _signature(store: Store, oid: str, size: int) -> str:
    return hmac.new(store.token.encode(), f"{oid}:{size}".encode(), hashlib.sha256).hexdigest()
