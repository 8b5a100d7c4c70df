"""The LFS protocol's basic transfer; the list of a repo's LFS files, and their deletion for good."""

import hashlib
import hmac
import time
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from pydantic import BaseModel, Field

from scripts.local_hub import blobs
from scripts.local_hub.access import gates
from scripts.local_hub.cards import JSON
from scripts.local_hub.dependencies import StoreDep, TargetDep, Writer, next_page, origin, require_writer
from scripts.local_hub.errors import ApiError, bad_request
from scripts.local_hub.lfs import deletion, files
from scripts.local_hub.store import Store

router = APIRouter()

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0, lt=2**53)]
_VALID_S = 3600
_FILES = "/api/{kind:kind}/{namespace}/{name}/lfs-files"


class LfsObject(BaseModel):
    oid: Sha256
    size: Size


class Batch(BaseModel):
    operation: str
    objects: list[LfsObject]
    transfers: list[str] = ["basic"]


@router.post("/{kind:kind}/{namespace}/{name}.git/info/lfs/objects/batch")
def lfs_batch(batch: Batch, target: TargetDep, request: Request) -> JSONResponse:
    """Where to send objects that are not stored yet, or to get those of the repo."""
    if batch.operation not in ("upload", "download") or "basic" not in batch.transfers:
        raise bad_request("The local Hub does uploads and downloads by the basic transfer.")
    if batch.operation == "upload":
        require_writer(request)
    with target.reading("propose" if batch.operation == "upload" else "read") as (db, repo):
        gates.check(db, repo, target.caller)
        have = {item.oid for item in batch.objects if files.has(db, repo, item.oid)}
    base = f"{origin(request)}/api/local-hub/lfs"
    objects: list[dict[str, object]] = []
    for item in batch.objects:
        answer: dict[str, object] = {"oid": item.oid, "size": item.size}
        address = f"{base}/{item.oid}?size={item.size}&signature="
        if batch.operation == "upload":
            if not blobs.path_of(target.store.blobs, item.oid).exists():
                upload = address + _signature(target.store, item.oid, item.size)
                answer["actions"] = {"upload": {"href": upload}, "verify": {"href": f"{base}/verify"}}
        elif item.oid in have:
            expires = int(time.time()) + _VALID_S
            signature = _signature(target.store, f"get:{expires}:{item.oid}", item.size)
            answer["actions"] = {
                "download": {"href": f"{address}{signature}&expires={expires}", "expires_in": _VALID_S}
            }
        else:
            answer["error"] = {"code": 404, "message": f"{target.repo_id} has no such object."}
        objects.append(answer)
    return JSONResponse({"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json")


@router.get("/api/local-hub/lfs/{oid}")
def lfs_get(oid: Sha256, size: Size, signature: str, expires: int, store: StoreDep) -> FileResponse:
    """The signed address is the permission, for an hour."""
    expected = _signature(store, f"get:{expires}:{oid}", size)
    path = blobs.path_of(store.blobs, oid)
    if time.time() > expires or not hmac.compare_digest(signature.encode(), expected.encode()) or not path.exists():
        raise ApiError(403, "Forbidden", "This download address is not valid here, or no longer.")
    return FileResponse(path, media_type="application/octet-stream")


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


@router.get(_FILES)
def list_files(
    target: TargetDep,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
    cursor: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> JSONResponse:
    """Every LFS file of the repo's history, the newest first."""
    with target.reading("write") as (db, repo):
        listed = files.of_repo(db, repo)
    page: list[JSON] = [
        {
            "fileOid": file.sha256,
            "oid": file.sha256,
            "filename": file.path,
            "size": file.size,
            "pushedAt": file.pushed_at,
            "ref": file.ref,
        }
        for file in listed[cursor : cursor + limit]
    ]
    return JSONResponse(page, headers=next_page(request, len(listed), cursor, limit))


class Deletions(BaseModel):
    sha: list[Sha256] = Field(max_length=1000)
    rewriteHistory: bool = True


class DeletionBatch(BaseModel):
    deletions: Deletions


@router.post(_FILES + "/batch", dependencies=[Writer])
def delete_files(batch: DeletionBatch, target: TargetDep) -> Response:
    """Take files out of all commits, whose ids change with that, and off the disk."""
    if not batch.deletions.rewriteHistory:
        raise bad_request("Files are deleted from the history too here: `rewriteHistory` must be true.")
    wanted = set(batch.deletions.sha)
    with target.writing() as (db, repo):
        deletion.rewrite(db, repo, wanted)
    # A transaction of its own, after the commits are gone for good: meanwhile no commit can name a content anew.
    with target.store.writing() as db:
        unused = deletion.unused(db, wanted)
        for sha256 in unused:
            blobs.path_of(target.store.blobs, sha256).unlink(missing_ok=True)
    if unused:
        target.store.xet.forget()
    return Response()


def _signature(store: Store, oid: str, size: int) -> str:
    return hmac.new(store.token.encode(), f"{oid}:{size}".encode(), hashlib.sha256).hexdigest()
