"""The wheel in a fresh environment and an empty folder: a release, and what HF Jobs would do with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from scripts.jobs import wheel
from scripts.local_hub.lifecycle import Endpoint, running
from tests.tiny import architectures

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]
RECIPE = Path(__file__).with_name("wheel.yaml")
BASE = "local/wheel-base"

#: Packages, and data files that are looked for beside their module.
INSIDE = """
import json, pathlib
import dataset_card, model_card, pipelines, scripts
from scripts.core import env
print(json.dumps([m.__file__ for m in (dataset_card, model_card, pipelines, scripts)] + [env.is_checkout()]))
"""


class Installed:
    """A virtual environment that has the wheel of its own and sees the packages of this one, not this source tree."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.empty = folder, folder / "home", folder / "empty"
        self.empty.mkdir(parents=True)
        author = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        for words in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "not Hanjul's"]):
            subprocess.run(["git", *words], cwd=folder, check=True)  # what is installed in it has no commit of its own
        venv.create(folder / "venv", symlinks=True)
        self.python = folder / "venv" / "bin" / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.site_packages = folder / "venv" / "lib" / version / "site-packages"

    def install(self, requirement: str) -> None:
        """Put a wheel into it with this environment's pip."""
        command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "-q"]
        subprocess.run([*command, "--no-deps", "--no-index", "--force-reinstall", requirement], check=True)

    def borrow_packages(self) -> None:
        """A path in a .pth is searched, but its own .pth files, such as that of an editable install, are not read."""
        (self.site_packages / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")

    def run(self, *command: str | Path, **environment: str) -> str:
        """What a command prints, run in an empty folder without the settings of the test session."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        own = {"HOME": str(self.home), "HANJUL_HOME": str(self.home), "NO_COLOR": "1", "COLUMNS": "200"}
        done = subprocess.run(
            command, cwd=self.empty, env=kept | own | environment, capture_output=True, text=True, timeout=2000
        )
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def hanjul(self, *args: str, **environment: str) -> str:
        return self.run(self.python.with_name("hanjul"), *args, **environment)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The built wheel installed, and a tiny base on the local Hub of its data folder."""
    environment = Installed(tmp_path_factory.mktemp("installed"))
    environment.install(str(wheel.make(environment.folder)))
    environment.borrow_packages()
    base = environment.folder / "base"
    base.mkdir()
    architectures.save_base("gemma3", base)
    with running(environment.home / "hub") as served:
        api = HfApi(endpoint=served.url, token=served.token)
        api.create_repo(BASE)
        api.upload_folder(repo_id=BASE, folder_path=base)
    return environment


@pytest.fixture(scope="module")
def released(installed: Installed) -> dict[str, str]:
    return json.loads(installed.hanjul("--format", "json", "release", str(RECIPE)))


@pytest.fixture
def endpoint(installed: Installed) -> Iterator[Endpoint]:
    with running(installed.home / "hub") as served:
        yield served


def test_it_runs_from_site_packages(installed: Installed) -> None:
    *files, is_checkout = json.loads(installed.run(installed.python, "-c", INSIDE))
    assert all(Path(file).is_relative_to(installed.site_packages) for file in files), files
    assert is_checkout is False
    assert "hanjul" in installed.hanjul("--help")
    assert f"data folder: {installed.home}" in installed.hanjul("doctor")


def test_it_releases_from_an_empty_folder(installed: Installed, released: dict[str, str], endpoint: Endpoint) -> None:
    api = HfApi(endpoint=endpoint.url)
    manifests = {}
    for name, kind in (("dataset", "dataset"), ("adapter", "model"), ("space", "space")):
        repo, revision = released[name].split("/", 3)[3].split("@")
        file = api.hf_hub_download(
            repo, "manifest.json", repo_type=kind, revision=revision, local_dir=installed.folder / name
        )
        manifests[name] = json.loads(Path(file).read_text())
    assert {name: manifest["stage"] for name, manifest in manifests.items()} == {
        "dataset": "filter", "adapter": "evaluate", "space": "space",
    }  # fmt: skip
    assert {manifest["git_commit"] for manifest in manifests.values()} == {None}
    assert list(installed.empty.iterdir()) == []


def test_the_job_that_hf_jobs_would_run_trains(
    installed: Installed, released: dict[str, str], endpoint: Endpoint
) -> None:
    token = {"HF_ENDPOINT": endpoint.url, "HF_TOKEN": endpoint.token, "HF_HUB_DISABLE_XET": "1"}
    changes = ["--set", "train.repo=wheel-jobs-lora", "--set", "train.max_steps=1", "--set", "train.processes=1"]
    asked = ["train", released["dataset"], "--on", "jobs", "--recipe", str(RECIPE), *changes]
    facts = json.loads(installed.hanjul("--format", "json", *asked, **token))

    job = HfApi(endpoint=endpoint.url, token=endpoint.token).inspect_job(job_id=facts["id"], namespace="local")
    assert job.command and job.command[:3] == ["uv", "run", "--with"]
    installed.install(job.command[3].removeprefix("hanjul @ "))
    command = job.command[job.command.index("hanjul") + 1 :]
    uri = installed.hanjul(*command, **token).splitlines()[-1]
    assert uri.startswith("hf://models/local/wheel-jobs-lora@")

    files = HfApi(endpoint=endpoint.url).list_repo_files("local/wheel-jobs-lora")
    assert {"adapter_model.safetensors", "README.md", facts["upload"].split("wheel-jobs-lora/")[1]} <= set(files)
