"""What a training on HF Jobs installs and runs, built without asking the Hub.

The command is `uv run --with "hanjul @ URL" hanjul train …`. The URL is that of Hanjul's own wheel in the repo that
will hold the adapter, pinned to the commit that brought it. uv sends HF_TOKEN to huggingface.co, and to no other host,
so that the repo may be private.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from huggingface_hub import HfUri, hf_hub_url

from pipelines.errors import HanjulError
from scripts import recipes
from scripts.core.settings import Recipe, TrainSettings
from scripts.training.preflight import extra_packages

#: Has uv and Python 3.12; what `hf jobs uv run` takes, too.
IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"
FLAVOR = "a10g-small"
#: The Hub itself would end a job after 30 minutes.
TIMEOUT = "6h"
ENVIRONMENT = {"PYTHONUNBUFFERED": "1"}
SECRET = "HF_TOKEN"  # noqa: S105 - its name
#: The job gets the versions that stand here: they were run together.
PINNED = ("torch", "transformers", "datasets", "huggingface_hub", "peft", "trl", "accelerate", "distilabel")
#: Stands for the commit of an upload that a dry run leaves out.
UNKNOWN_COMMIT = "COMMIT"


@dataclass(frozen=True)
class TrainingJob:
    """What is uploaded and what runs.

    Attributes:
        repo: the adapter's repo, which gets the wheel first.
        wheel: its file name.
        sha256: of the wheel, in hex.
        endpoint: of the Hub.
        packages: requirements beside the wheel.
        arguments: of `hanjul`.
        timeout: seconds, or a number with s, m, h or d.
        commit: of the repo, with this wheel in it; None before the upload.
    """

    repo: HfUri
    wheel: str
    sha256: str
    endpoint: str
    packages: tuple[str, ...]
    arguments: tuple[str, ...]
    flavor: str = FLAVOR
    timeout: str = TIMEOUT
    commit: str | None = None

    @property
    def path_in_repo(self) -> str:
        return f"jobs/{self.wheel}"

    @property
    def name(self) -> str:
        """What lists of jobs show: the repo's name, in the characters that the Hub allows there."""
        return re.sub(r"[^a-zA-Z0-9_-]", "-", self.repo.id.split("/")[1])

    @property
    def command(self) -> list[str]:
        revision = self.commit or UNKNOWN_COMMIT
        url = hf_hub_url(self.repo.id, self.path_in_repo, revision=revision, endpoint=self.endpoint)
        requirements = [f"hanjul @ {url}", *self.packages]
        return ["uv", "run", *(part for name in requirements for part in ("--with", name)), "hanjul", *self.arguments]

    def facts(self) -> dict[str, Any]:
        """What the user is told. The token is named, never shown."""
        return {
            "upload": f"{self.repo.to_uri()}/{self.path_in_repo}",
            "sha256": self.sha256,
            "commit": self.commit,
            "name": self.name,
            "image": IMAGE,
            "flavor": self.flavor,
            "timeout": self.timeout,
            "env": ENVIRONMENT,
            "secrets": [SECRET],
            "command": self.command,
        }


def check(settings: TrainSettings, timeout: str) -> None:
    """
    Raises:
        HanjulError: GGUFs are asked for, or the timeout is no span of time.
    """
    if settings.gguf:
        raise HanjulError(
            "A job makes no GGUFs: their converter cannot be installed beside the package gguf by a resolver",
            "train.gguf",
            "leave --gguf out; after the job, the same command with --gguf and without --on jobs makes them here",
        )
    if not re.fullmatch(r"\d+(\.\d+)?[smhd]?", timeout):
        raise HanjulError("This is no span of time", f"--timeout {timeout}", "write it like 90m or 6h")


def packages(settings: TrainSettings) -> tuple[str, ...]:
    """Requirements beside the wheel: the versions here, without the mark of a build (`+cpu`) that no index has."""
    pins = [f"{name}=={metadata.version(name).split('+')[0]}" for name in PINNED]
    return (*pins, *extra_packages(settings))


def options(name: str, recipe: Recipe) -> Sequence[str]:
    """Options of `hanjul train` that make the same settings elsewhere.

    A recipe that ships with Hanjul goes by its name, with what flags and `--set` have changed in it; a file of the
    user's stays here, and what it says goes as `--set`.
    """
    shipped = name if name in recipes.shipped() else "offline"
    known = recipes.load(shipped)
    changed: dict[str, Any] = {} if recipe.seed == known.seed else {"seed": recipe.seed}
    defaults = known.train.model_dump(mode="json")
    for key, value in recipe.train.model_dump(mode="json").items():
        if value != defaults[key]:
            changed[f"train.{key}"] = value
    sets = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in changed.items()]
    return ["--recipe", shipped, *(part for text in sets for part in ("--set", text))]
