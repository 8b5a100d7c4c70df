"""Keep the settings of Spaces. Nothing runs here: they are for the record, the stage says STOPPED."""

from sqlite3 import Connection
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from scripts.local_hub.dependencies import CallerDep, StoreDep, Target, Unquoted, Writer, target
from scripts.local_hub.errors import ApiError
from scripts.local_hub.repos import Repo
from scripts.local_hub.store import now
from scripts.local_hub.views import runtime

router = APIRouter()

Family = Literal["secrets", "variables"]
_SPACE = "/api/spaces/{namespace}/{name}"


def space(namespace: Unquoted, name: Unquoted, store: StoreDep, caller: CallerDep) -> Target:
    return target("spaces", namespace, name, store, caller)


SpaceDep = Annotated[Target, Depends(space)]


class Setting(BaseModel):
    key: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=256)
    value: str
    description: str | None = None


class Key(BaseModel):
    key: str


def save_setting(db: Connection, repo: Repo, family: str, setting: Setting) -> None:
    """A secret's value is dropped: it can never be read, and nothing here uses it."""
    value = None if family == "secrets" else setting.value
    db.execute(
        "INSERT OR REPLACE INTO space_settings VALUES (?, ?, ?, ?, ?, ?)",
        (repo.id, family, setting.key, value, setting.description, now()),
    )


@router.get(_SPACE + "/runtime")
def get_runtime(target: SpaceDep) -> dict[str, object]:
    with target.reading() as (db, repo):
        return runtime(db, target.store, repo)


@router.post(_SPACE + "/pause", dependencies=[Writer])
@router.post(_SPACE + "/restart", dependencies=[Writer])
def pause_or_restart(target: SpaceDep) -> dict[str, object]:
    """Changes nothing: what does not run can neither pause nor restart."""
    with target.reading("write"):
        pass
    return get_runtime(target)


class Hardware(BaseModel):
    flavor: str
    sleepTimeSeconds: int | None = None


@router.post(_SPACE + "/hardware", dependencies=[Writer])
def request_hardware(wanted: Hardware, target: SpaceDep) -> dict[str, object]:
    with target.writing() as (db, repo):
        db.execute(
            "UPDATE repos SET hardware = ?, sleep_time = coalesce(?, sleep_time) WHERE id = ?",
            (wanted.flavor, wanted.sleepTimeSeconds, repo.id),
        )
    return get_runtime(target)


class SleepTime(BaseModel):
    seconds: int


@router.post(_SPACE + "/sleeptime", dependencies=[Writer])
def set_sleep_time(sleep: SleepTime, target: SpaceDep) -> dict[str, object]:
    with target.writing() as (db, repo):
        db.execute("UPDATE repos SET sleep_time = ? WHERE id = ?", (sleep.seconds, repo.id))
    return get_runtime(target)


def _settings_of(family: Family, target: Target) -> dict[str, dict[str, str | None]]:
    with target.reading("write") as (db, repo):
        query = "SELECT * FROM space_settings WHERE repo = ? AND family = ?"
        rows = db.execute(query, (repo.id, family)).fetchall()
    return {
        row["key"]: ({"value": row["value"]} if family == "variables" else {})
        | {"key": row["key"], "description": row["description"], "updatedAt": row["updated_at"]}
        for row in rows
    }


def _add_routes(family: Family) -> None:
    path = f"{_SPACE}/{family}"

    @router.get(path, dependencies=[Writer])
    def get_settings(target: SpaceDep) -> dict[str, dict[str, str | None]]:
        return _settings_of(family, target)

    @router.post(path, dependencies=[Writer])
    def set_setting(setting: Setting, target: SpaceDep) -> dict[str, dict[str, str | None]]:
        with target.writing() as (db, repo):
            save_setting(db, repo, family, setting)
        return _settings_of(family, target)

    @router.delete(path, dependencies=[Writer])
    def delete_setting(key: Key, target: SpaceDep) -> dict[str, dict[str, str | None]]:
        with target.writing() as (db, repo):
            deleted = db.execute(
                "DELETE FROM space_settings WHERE repo = ? AND family = ? AND key = ?",
                (repo.id, family, key.key),
            )
            if deleted.rowcount == 0:
                raise ApiError(404, "NotFound", f"No such key: {key.key}")
        return _settings_of(family, target)


_add_routes("secrets")
_add_routes("variables")
