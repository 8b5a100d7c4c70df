"""Record jobs as the Hub would take them. Nothing runs here: they stay in the queue."""

import json
import secrets
from sqlite3 import Row
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from scripts.local_hub.dependencies import CallerDep, StoreDep, Unquoted, Writer
from scripts.local_hub.errors import ApiError, forbidden
from scripts.local_hub.identity.callers import Caller
from scripts.local_hub.names import check_repo_id
from scripts.local_hub.store import now

router = APIRouter()

#: The machines that huggingface_hub knows (`JobHardware`).
Flavor = Literal[
    "cpu-basic", "cpu-upgrade", "cpu-performance", "cpu-xl", "t4-small", "t4-medium", "l4x1", "l4x4",
    "l40sx1", "l40sx4", "l40sx8", "a10g-small", "a10g-large", "a10g-largex2", "a10g-largex4",
    "a100-large", "a100x4", "a100x8", "h200", "h200x2", "h200x4", "h200x8",
    "rtx-pro-6000", "rtx-pro-6000x2", "rtx-pro-6000x4", "rtx-pro-6000x8",
]  # fmt: skip
MESSAGE = "Recorded. The local Hub runs no jobs."
_JOBS = "/api/jobs/{namespace}"

Label = Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]*$", max_length=100)]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Spec(BaseModel):
    """What is to run. Volumes, ports and networks are refused: nothing here could mount or open them."""

    model_config = ConfigDict(extra="forbid")

    command: list[str] = Field(min_length=1)
    arguments: list[str] = []
    environment: dict[Variable, str] = {}
    secrets: dict[Variable, str] = {}
    flavor: Flavor
    timeoutSeconds: int | None = Field(None, gt=0)
    attempts: int | None = Field(None, ge=1)
    labels: dict[Label, Label] = {}
    dockerImage: str | None = None
    spaceId: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Spec":
        if (self.dockerImage is None) == (self.spaceId is None):
            raise ValueError("give either dockerImage or spaceId")
        return self


@router.post(_JOBS, dependencies=[Writer])
def run_job(namespace: Unquoted, spec: Spec, store: StoreDep, caller: CallerDep) -> dict[str, Any]:
    """Secrets keep their names and lose their values, which nothing here could use."""
    check_repo_id(namespace, "jobs")
    _check_home(caller, namespace)
    kept = spec.model_dump(exclude={"secrets"}) | {"secrets": dict.fromkeys(spec.secrets)}
    job_id = secrets.token_hex(12)
    with store.writing() as db:
        db.execute("INSERT INTO jobs VALUES (?, ?, ?, ?)", (job_id, namespace, json.dumps(kept), now()))
    return inspect_job(namespace, job_id, store, caller)


@router.get(_JOBS + "/{job_id}", dependencies=[Writer])
def inspect_job(namespace: Unquoted, job_id: Unquoted, store: StoreDep, caller: CallerDep) -> dict[str, Any]:
    _check_home(caller, namespace)
    with store.reading() as db:
        row = db.execute("SELECT * FROM jobs WHERE id = ? AND namespace = ?", (job_id, namespace)).fetchone()
    if row is None:
        raise ApiError(404, "NotFound", f"No such job: {namespace}/{job_id}")
    return _view(row)


def _check_home(caller: Caller, namespace: str) -> None:
    if not caller.is_at_home(namespace):
        raise forbidden(f"You don't have the rights to run jobs under {namespace}")


def _view(row: Row) -> dict[str, Any]:
    """What `JobInfo` reads; the job stays in the queue for good."""
    namespace = {"id": row["namespace"], "name": row["namespace"], "type": "user"}
    spec: dict[str, Any] = json.loads(row["spec"])
    return spec | {
        "id": row["id"],
        "createdAt": row["created_at"],
        "startedAt": None,
        "finishedAt": None,
        "status": {"stage": "SCHEDULING", "message": MESSAGE},
        "owner": namespace,
        "initiator": namespace,
    }
