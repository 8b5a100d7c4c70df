"""Say before a commit how each file is to be sent, and which are ignored."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from scripts.local_hub import blobs, commits, refs
from scripts.local_hub.dependencies import Target, TargetDep, Unquoted, Writer
from scripts.local_hub.names import check_path
from scripts.local_hub.uploads import files as uploads
from scripts.local_hub.uploads import ignoring

router = APIRouter()

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0, lt=2**53)]


class Candidate(BaseModel):
    path: str
    size: Size
    sample: str = ""


class Preupload(BaseModel):
    files: list[Candidate]
    gitIgnore: str | None = None


@router.post("/api/{kind:kind}/{namespace}/{name}/preupload/{revision}", dependencies=[Writer])
def preupload(
    revision: Unquoted, body: Preupload, target: TargetDep, create_pr: Annotated[bool, Query()] = False
) -> dict[str, list[dict[str, object]]]:
    """`oid` is that of the file as it is now, so that clients skip what has not changed."""
    with target.reading(refs.right_to(revision, create_pr)) as (db, repo):
        files = commits.files_of(db, commits.resolve(db, repo, revision).tree)
    patterns = uploads.lfs_patterns(_text(target, files.get(".gitattributes")))
    here = _text(target, files.get(".gitignore")) if body.gitIgnore is None else body.gitIgnore
    ignored = ignoring.ignore_rules(here)
    answers: list[dict[str, object]] = []
    for file in body.files:
        lfs = uploads.is_lfs(file.path, file.size, uploads.decoded(file.sample), patterns)
        answer: dict[str, object] = {
            "path": check_path(file.path),
            "uploadMode": "lfs" if lfs else "regular",
            "shouldIgnore": ignoring.is_ignored(file.path, ignored),
        }
        if file.path in files:
            answer["oid"] = files[file.path].etag
        answers.append(answer)
    return {"files": answers}


def _text(target: Target, file: commits.File | None) -> str:
    return blobs.path_of(target.store.blobs, file.sha256).read_text("utf-8", "replace") if file else ""
