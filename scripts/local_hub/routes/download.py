"""Send file contents by revision, with ranges."""

import time

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, RedirectResponse

from scripts.local_hub import commits
from scripts.local_hub.access import gates
from scripts.local_hub.blobs import path_of
from scripts.local_hub.dependencies import Target, TargetDep, Unquoted
from scripts.local_hub.errors import entry_not_found
from scripts.local_hub.repos import Repo

router = APIRouter()

_ONE_DOWNLOAD_S = 300


@router.api_route("/{kind:kind}/{namespace}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
def resolve(revision: Unquoted, path: Unquoted, target: TargetDep, request: Request) -> FileResponse:
    """`Range` is answered by 206 or 416. The path is looked up in the snapshot and never touches the disk."""
    with target.reading() as (db, repo):
        head = commits.resolve(db, repo, revision)
        gates.check(db, repo, target.caller)
        file = commits.file_of(db, head.tree, path)
    if file is None:
        raise entry_not_found(path, head.sha)
    if request.method == "GET":
        _count(target, repo, request)
    headers = {
        "X-Repo-Commit": head.sha,
        "ETag": f'"{file.etag}"',
        # What people upload must not run as a page of this origin.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if file.lfs:
        headers |= {"X-Linked-Size": str(file.size), "X-Linked-ETag": f'"{file.sha256}"'}
    return FileResponse(
        path_of(target.store.blobs, file.sha256),
        headers=headers,
        media_type="application/octet-stream" if file.lfs else "text/plain; charset=utf-8",
        filename=path.rpartition("/")[2],
        content_disposition_type="inline",
    )


def _count(target: Target, repo: Repo, request: Request) -> None:
    """Count a download: one, whatever many files of the repo somebody takes within five minutes."""
    who = repo.id, target.caller.name or (request.client.host if request.client else "")
    begun: dict[tuple[int, str], float] = request.app.state.downloads
    now = time.monotonic()
    if begun.get(who, -_ONE_DOWNLOAD_S) <= now - _ONE_DOWNLOAD_S:
        for key in [key for key, when in begun.items() if when <= now - _ONE_DOWNLOAD_S]:
            begun.pop(key, None)
        begun[who] = now
        with target.store.writing() as db:
            db.execute("UPDATE repos SET downloads = downloads + 1 WHERE id = ?", (repo.id,))


@router.get("/{kind:kind}/{namespace}/{name}/blob/{revision}/{path:path}")
def blob_page(request: Request) -> RedirectResponse:
    """The address that `upload_file` returns."""
    sent = request.scope["raw_path"].decode("latin-1")
    return RedirectResponse(sent.replace("/blob/", "/resolve/", 1))
