"""`hanjul train --on jobs` against the local Hub, which records the job that the real one would run."""

from __future__ import annotations

import hashlib
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from huggingface_hub import get_token
from huggingface_hub.errors import RepositoryNotFoundError

from pipelines.errors import HanjulError
from scripts import recipes
from scripts.cli import load_recipe
from scripts.jobs import plan, training
from tests.command import hanjul

RECIPE = "train/polyglot-ko-3.8b"
DATASET = "hf://datasets/local/rows-for-jobs"


@pytest.fixture(scope="module")
def dataset(hub) -> str:
    """A pinned dataset: jobs only name it."""
    hub.api.create_repo("local/rows-for-jobs", repo_type="dataset", exist_ok=True)
    return hub.resolve(DATASET, "dataset").to_uri()


def on_jobs(hub, home: Path, *args: str, check: bool = True) -> Any:
    """The command as a user with a token runs it."""
    known = {"HF_ENDPOINT": str(hub.api.endpoint), "HF_TOKEN": os.environ["HF_TOKEN"], "HF_HUB_DISABLE_XET": "1"}
    return hanjul("--format", "json", "train", DATASET, "--on", "jobs", *args, home=home, check=check, **known)


def given(flag: str, words: list[str]) -> list[str]:
    """What stands behind a flag each time."""
    return [word for before, word in pairwise(words) if before == flag]


@pytest.mark.parametrize("name", [RECIPE, "offline", "train/gemma-3-270m"])
def test_a_shipped_recipe_goes_by_name(name: str) -> None:
    assert plan.options(name, recipes.load(name)) == ["--recipe", name]


def test_the_options_make_the_same_settings_elsewhere(tmp_path: Path) -> None:
    changes = {"train.epochs": 1.5, "train.repo": "team/한 줄", "train.base_revision": None, "seed": 7}
    recipe = recipes.load(RECIPE, changes)
    options = plan.options(RECIPE, recipe)
    assert options[:2] == ["--recipe", RECIPE]
    assert set(given("--set", options)) == {
        "seed=7",
        "train.epochs=1.5",
        'train.repo="team/한 줄"',
        "train.base_revision=null",
    }
    assert load_recipe(RECIPE, given("--set", options)) == recipe

    file = tmp_path / "mine.yaml"
    file.write_text("seed: 3\ntrain:\n  base_model: team/base\n  start: hf://models/team/sft\n  method: dpo\n")
    mine = recipes.load(str(file))
    options = plan.options(str(file), mine)
    assert options[:2] == ["--recipe", "offline"]
    elsewhere = load_recipe("offline", given("--set", options))
    assert (elsewhere.train, elsewhere.seed) == (mine.train, mine.seed)


def test_a_dry_run_shows_all_and_changes_nothing(hub, dataset: str, tmp_path: Path) -> None:
    repo = "dry-run-lora"
    done = on_jobs(hub, tmp_path, "--recipe", RECIPE, "--set", f"train.repo={repo}", "--dry-run")
    shown = json.loads(done.stdout)
    assert shown["upload"] == f"hf://models/local/{repo}/jobs/hanjul-0.1.0-py3-none-any.whl"
    assert (shown["flavor"], shown["timeout"], shown["secrets"]) == ("a10g-small", "6h", ["HF_TOKEN"])
    command = shown["command"]
    wheel = f"{hub.api.endpoint}/local/{repo}/resolve/COMMIT/jobs/hanjul-0.1.0-py3-none-any.whl"
    assert command[:4] == ["uv", "run", "--with", f"hanjul @ {wheel}"]
    start = command.index("hanjul")
    assert command[start:] == ["hanjul", "train", dataset, "--recipe", RECIPE, "--set", f'train.repo="{repo}"']
    assert "torch==2.13.0" in command[:start]
    assert os.environ["HF_TOKEN"] not in done.stdout + done.stderr
    with pytest.raises(RepositoryNotFoundError):
        hub.api.repo_info(f"local/{repo}")


def test_the_wheel_is_uploaded_once_and_the_job_names_its_commit(hub, dataset: str, tmp_path: Path) -> None:
    args = ["--recipe", RECIPE, "--set", "train.repo=jobs-lora", "--flavor", "l4x1", "--timeout", "90m"]
    first = on_jobs(hub, tmp_path, *args)
    facts = json.loads(first.stdout)
    assert f"follow it: hf jobs logs -f local/{facts['id']}" in first.stderr
    assert facts["url"] == f"{hub.api.endpoint}/jobs/local/{facts['id']}"

    job = hub.api.inspect_job(job_id=facts["id"])
    assert (job.docker_image, job.command, job.flavor) == (plan.IMAGE, facts["command"], "l4x1")
    assert (list(job.secrets), job.environment, job.labels) == (
        facts["secrets"], facts["env"], {"name": facts["name"]},
    )  # fmt: skip
    assert (facts["secrets"], facts["env"], facts["name"]) == (["HF_TOKEN"], {"PYTHONUNBUFFERED": "1"}, "jobs-lora")
    assert get_token() not in json.dumps(facts) + first.stderr

    url = job.command[3].removeprefix("hanjul @ ")
    assert f"/resolve/{facts['commit']}/" in url
    wheel = httpx2.get(url, follow_redirects=True).content
    assert hashlib.sha256(wheel).hexdigest() == facts["sha256"]

    hub.api.upload_file(path_or_fileobj=b"x", path_in_repo="adapter.txt", repo_id="local/jobs-lora")
    again = json.loads(on_jobs(hub, tmp_path, *args).stdout)
    assert (again["commit"], again["command"]) == (facts["commit"], facts["command"])
    assert again["id"] != facts["id"]


def test_what_settings_need_is_installed_too(hub, dataset: str) -> None:
    recipe = recipes.load(RECIPE, {"train.quantize": "4bit", "train.kernels": True})
    facts = training.run(hub, hub.resolve(dataset), RECIPE, recipe, None, None, dry_run=True)
    assert given("--with", facts["command"])[-2:] == ["bitsandbytes", "kernels"]


def test_a_machine_that_the_hub_has_not_is_a_sentence(hub, dataset: str) -> None:
    recipe = recipes.load("offline", {"train.repo": "refused-lora"})
    with pytest.raises(HanjulError, match=r"The Hub does not start the job: .*flavor") as caught:
        training.run(hub, hub.resolve(dataset), "offline", recipe, "a10g-tiny", None, dry_run=False)
    assert caught.value.where == "flavor a10g-tiny"
    assert "hf jobs hardware" in caught.value.next_step


def test_what_a_job_cannot_do_is_said_before_anything_is_built() -> None:
    with pytest.raises(HanjulError, match="A job makes no GGUFs"):
        plan.check(recipes.load("offline", {"train.gguf": True}).train, plan.TIMEOUT)
    with pytest.raises(HanjulError, match="This is no span of time"):
        plan.check(recipes.load("offline").train, "soon")


def test_jobs_take_a_token(tmp_path: Path) -> None:
    done = hanjul("train", DATASET, "--on", "jobs", home=tmp_path)
    assert done.returncode == 1
    assert "HF Jobs takes a token" in done.stderr
    assert "hf auth login" in done.stderr
    assert not (tmp_path / "hub").exists()


def test_flags_of_jobs_go_with_jobs(tmp_path: Path) -> None:
    done = hanjul("train", DATASET, "--flavor", "l4x1", home=tmp_path)
    assert done.returncode == 2
    assert "go with --on jobs" in done.stderr
